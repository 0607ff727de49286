"""The installations of these tests: each test once with SQLite and once with PostgreSQL."""

from tests.databases import place, postgresql

__all__ = ["place", "postgresql"]

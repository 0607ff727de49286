"""The installations of these tests: each test once with SQLite and once with PostgreSQL."""

import datetime as dt

import pytest
from argon2.profiles import CHEAPEST

from pipelines.accounts import passwords
from pipelines.core import clock
from tests.databases import place, postgresql

__all__ = ["cheap_passwords", "moment", "place", "postgresql"]


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch):
    """Hashes that cost nothing."""
    monkeypatch.setattr(passwords, "PARAMETERS", CHEAPEST)


class Moment:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.at

    def passes(self, **span: float) -> None:
        self.at += dt.timedelta(**span)


@pytest.fixture
def moment(monkeypatch) -> Moment:
    """The clock of this test."""
    still = Moment()
    monkeypatch.setattr(clock, "now", still)
    return still

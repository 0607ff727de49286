"""Seeded synthetic deliveries with their ground truth, for teaching and for tests.

Not here: real data, and anything that the pipeline needs.
"""

from __future__ import annotations

from pipelines.demo.writer import DemoSummary, write_demo

__all__ = ["DemoSummary", "write_demo"]

"""What columns are for: the roles by which code asks for them, since tables differ in their names.

Not here: which column has a role (`groups.yaml`, `tables/`), and what every record has
(`record.py`). A role that a table lacks is None or empty; code that asks says what happens then.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Roles(BaseModel):
    """By role, the name of its column, or the names in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_time: str | None = None  # when it happened: a moment, or a date
    event_time_end: str | None = None  # when it ended
    event_time_words: str | None = None  # the source's own words for when it happened
    report_time: str | None = None  # when it was told to the source
    period: tuple[str, ...] = ()  # the first and the last day that a row is about
    zone: str | None = None  # the time zone of the place
    country: str | None = None
    area: tuple[str, ...] = ()  # administrative areas, the largest first: first level, second level
    point: tuple[str, ...] = ()  # latitude, longitude
    position: str | None = None  # both coordinates in one cell of a delivery
    border_point: str | None = None
    classification: str | None = None  # of what kind that is which a row tells
    classification_words: str | None = None  # the source's own words for it
    person_count: str | None = None  # persons, where a row is itself a count of them
    count_key: tuple[str, ...] = ()  # what tells one count of persons from another, but how it is…
    breakdown: tuple[str, ...] = ()  # …broken down: the same persons by sex, by age or in total
    amount: tuple[str, ...] = ()  # how much, and its unit
    coverage: tuple[str, ...] = ()  # how long somebody watched, the finest measure first
    sensitive: str | None = None  # TRUE for rows that are told to fewer
    # Lists of which registers write names of persons instead.
    person_words: tuple[str, ...] = ()
    shown_by: tuple[str, ...] = ()  # what a drawing tells apart, the most telling first

    def names(self, role: str) -> tuple[str, ...]:
        """The columns of a role; none where the table lacks it. Raises AttributeError."""
        said = getattr(self, role)
        return (said,) if isinstance(said, str) else tuple(said or ())

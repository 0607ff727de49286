"""What columns are for: the roles by which code asks for them, since tables differ in their names.

Not here: which column has a role (`groups.yaml`, `tables/`), and what every record has
(`record.py`). A role that a table lacks is None or empty; code that asks says what happens then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from schemas.text import Bilingual

if TYPE_CHECKING:
    from schemas.table import Column


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
    # What the same persons are counted by again, such as sex and age, beside their total; and what
    # else tells one count of persons from another.
    breakdown: tuple[str, ...] = ()
    count_key: tuple[str, ...] = ()
    # Of counts of what is there, the day on which it was counted: two days are never added up.
    stock: str | None = None
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


# A role that says nothing without another
NEEDS = (
    ("event_time_end", "event_time"),
    ("event_time_words", "event_time"),
    ("area", "country"),  # a name stands for another area in each country
    ("position", "point"),
    ("classification_words", "classification"),
    ("person_count", "count_key"),  # or one count of the same persons would pass for another
    ("breakdown", "count_key"),
    ("stock", "event_time"),
)


@dataclass(frozen=True)
class RoleRequirement:
    """What the columns of a role must be for the code that asks for it."""

    words: Bilingual
    types: tuple[str, ...] = ()  # of DuckDB; none: any
    codelist: str = ""  # this one; `*`: some list
    count: int | None = None

    def is_met_by(self, columns: Sequence[Column]) -> bool:
        """True where every column is of such a type and list, and there are as many as needed."""
        return (self.count is None or len(columns) == self.count) and all(
            (not self.types or column.duckdb_type in self.types)
            and (not self.codelist or self.codelist in ("*", column.codelist))
            and (self.codelist != "*" or bool(column.codelist))
            for column in columns
        )


_DAY = Bilingual(en="a date or a moment", fr="une date ou un moment")
_LISTED = Bilingual(en="columns with a code list", fr="des colonnes dotées d’une liste de codes")
_TIMES, _NUMBERS = ("DATE", "TIMESTAMP"), ("INTEGER", "BIGINT")
WANTED: dict[str, RoleRequirement] = {
    "event_time": RoleRequirement(_DAY, _TIMES),
    "event_time_end": RoleRequirement(_DAY, _TIMES),
    "stock": RoleRequirement(Bilingual(en="a date", fr="une date"), ("DATE",)),
    "report_time": RoleRequirement(_DAY, _TIMES),
    "period": RoleRequirement(
        Bilingual(
            en="two dates, the first and the last", fr="deux dates, la première et la dernière"
        ),
        ("DATE",),
        count=2,
    ),
    "country": RoleRequirement(
        Bilingual(
            en="a column of the code list `countries`", fr="une colonne de la liste `countries`"
        ),
        codelist="countries",
    ),
    "area": RoleRequirement(
        Bilingual(
            en="columns of the code list `admin_areas`", fr="des colonnes de la liste `admin_areas`"
        ),
        codelist="admin_areas",
    ),
    "border_point": RoleRequirement(
        Bilingual(
            en="a column of the code list `border_points`",
            fr="une colonne de la liste `border_points`",
        ),
        codelist="border_points",
    ),
    "point": RoleRequirement(
        Bilingual(
            en="two numbers of degrees, latitude and longitude",
            fr="deux nombres de degrés, latitude et longitude",
        ),
        ("DOUBLE",),
        count=2,
    ),
    "person_count": RoleRequirement(
        Bilingual(en="a whole number", fr="un nombre entier"), _NUMBERS
    ),
    "amount": RoleRequirement(
        Bilingual(en="a number and its unit", fr="un nombre et son unité"), count=2
    ),
    "sensitive": RoleRequirement(
        Bilingual(en="a column that is true or false", fr="une colonne vraie ou fausse"),
        ("BOOLEAN",),
    ),
    "classification": RoleRequirement(_LISTED, codelist="*"),
    "person_words": RoleRequirement(_LISTED, codelist="*"),
    "shown_by": RoleRequirement(_LISTED, codelist="*"),
}

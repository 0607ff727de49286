"""The incidents rules as expressions that pandas and polars both understand.

Not here: rules on columns that the feed does not have, which no row can fail, and DuckDB's forms.

`c` gives the columns of a data frame; `absent` is its test for a missing value. A comparison with a
missing value counts as passed, whatever the expression gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from benchmarks.codes import DAYS, FEED_STARTS, READ, RECEIVED_DAY
from schemas.contract import Contract, Rule

Absent = Callable[[Any], Any]
Form = Callable[[Any, Absent], Any]
DAY = dt.timedelta(days=1)
LOWEST = ("victims_total", "victims_female", "victims_male", "killed_total", "injured_total",
          "suspects_total", "arrested_total")  # fmt: skip


def _lacks(column: str) -> Form:
    return lambda c, absent: absent(c[column]) & absent(c[f"{column}__unread"])


def _negative(c: Any, absent: Absent) -> Any:
    found = c[LOWEST[0]] < 0
    for column in LOWEST[1:]:
        found = found | (c[column] < 0)
    return found


def _half_position(c: Any, absent: Absent) -> Any:
    no_latitude, no_longitude = absent(c["latitude_deg"]), absent(c["longitude_deg"])
    return (no_latitude & absent(c["latitude_deg__unread"]) & ~no_longitude) | (
        no_longitude & absent(c["longitude_deg__unread"]) & ~no_latitude
    )


def _sum_above(c: Any, absent: Absent, one: str, other: str, total: str) -> Any:
    """True where two parts are more than the total; of one part only, where that one is."""
    return (
        (c[one] + c[other] > c[total])
        | (absent(c[other]) & (c[one] > c[total]))
        | (absent(c[one]) & (c[other] > c[total]))
    )


WHOLE_ROW: dict[str, Form] = {
    "INC-101": lambda c, absent: absent(c["source_record_id"]),
    "INC-102": _lacks("country"),
    "INC-103": lambda c, absent: absent(c["occurred_on"]) & absent(c["occurred_at__unread"]),
    "INC-104": _lacks("admin1_code"),
    "INC-105": _lacks("offence_code"),
    "INC-106": lambda c, absent: (
        _lacks("victims_total")(c, absent) & ((c["victims_female"] > 0) | (c["victims_male"] > 0))
    ),
    "INC-404": lambda c, _: (c["latitude_deg"] == 0) & (c["longitude_deg"] == 0),
    "INC-405": lambda c, _: c["is_outside_country"],
    "INC-406": lambda c, _: c["is_outside_admin1"] & c["is_inside_country"],
    "INC-408": lambda c, _: (
        (c["occurred_on"] < c["admin1_valid_from"])
        | (c["occurred_on"] >= c["admin1_valid_to"] + DAY)
    ),
    "INC-409": _negative,
    "INC-413": lambda c, _: (
        (c["occurred_on"] < FEED_STARTS) & (c["occurred_on"] >= dt.datetime(1990, 1, 1))
    ),
    "INC-501": lambda c, _: c["reported_on"] < c["occurred_on"] - DAY,
    "INC-502": lambda c, _: c["occurred_on"] > RECEIVED_DAY + DAY,
    "INC-503": lambda c, _: c["reported_on"] > RECEIVED_DAY + DAY,
    "INC-504": _half_position,
    "INC-505": lambda c, absent: (
        (c["admin1_country"] != c["country"]) & ~absent(c["admin1_country"]) & ~absent(c["country"])
    ),
    "INC-511": lambda c, absent: _sum_above(
        c, absent, "victims_female", "victims_male", "victims_total"
    ),
    "INC-512": lambda c, _: c["victims_female"] + c["victims_male"] < c["victims_total"],
    "INC-515": lambda c, absent: (
        _sum_above(c, absent, "killed_total", "injured_total", "victims_total")
        & ((c["killed_total"] <= c["victims_total"]) | absent(c["killed_total"]))
    ),
    "INC-519": lambda c, _: c["offence_code"].str.slice(0, 4).eq("0101") & (c["killed_total"] == 0),
    "INC-602": lambda c, _: c["same_event_records"] > 1,
}


def rules_of(contract: Contract) -> list[Rule]:
    """The rules that a row of this feed can fail."""
    return [rule for rule in contract.rules if rule.code in WHOLE_ROW or _column(rule)]


def _column(rule: Rule) -> str:
    """The column of a rule that looks at one column of the feed, or at two."""
    named = [rule.kwargs.get(key) for key in ("column", "column_A", "column_B")]
    delivered = {
        *READ,
        *DAYS.values(),
        "source_record_id",
        "record_id",
        *(f"{column}__unread" for column in READ),
    }
    return str(named) if all(one in delivered for one in named if one) and any(named) else ""

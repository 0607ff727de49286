"""Whatever is asked, delivered, corrected and withdrawn: nobody is told more narrowly than a group.

Not here: single cases by name (`test_k_anonymity.py`). An attacker has every
answer to some requests; what is judged is what follows from all of them together.
"""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.release.disclosure.k_anonymity import levels_on
from pipelines.release.policy.precision import AREA_LEVELS, TIME_LEVELS
from schemas.agreement import Permit
from tests.unit.release.world import Home, agreement, ask, counts, dated, permit, rows

TOLD = ("country", "admin1_code", "occurred_on", "offence_code", "victims_total")
OFFENCES = ("0101", "0102", "0501")
AREAS = ("CF11", "CF71")
DAYS = (4, 5, 6, 12, 20)
Row = dict[str, Any]
Pick = tuple[int, ...]  # which of what is possible, of each thing that is changed


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


# ── what is generated ──────────────────────────────────────────────────────────────────────────


@st.composite
def incident(draw: st.DrawFn) -> Row:
    return {
        "occurred_at": dt.datetime(2026, draw(some(5, 5, 5, 4)), draw(some(*DAYS)), 12),
        "admin1_code": draw(some(*AREAS)),
        "offence_code": draw(some(*OFFENCES)),
        "victims_total": draw(some(1, 1, 2)),
    }


@st.composite
def histories(draw: st.DrawFn) -> list[list[Row]]:
    """Two or three states of the table: rows that come, are corrected and are withdrawn."""
    held: dict[int, Row] = dict(enumerate(draw(st.lists(incident(), min_size=2, max_size=7))))
    states, number = [], len(held)
    for _at in range(draw(some(2, 3))):
        states.append(numbered(held))
        for one in draw(st.lists(some(*sorted(held)), max_size=2, unique=True)) if held else ():
            if draw(st.booleans()):
                del held[one]
            else:
                held[one] = {**held[one], **draw(incident())}
        for new in draw(st.lists(incident(), max_size=3)):
            held[number], number = new, number + 1
    return states


def numbered(held: dict[int, Row]) -> list[Row]:
    return rows(*({**row, "source_record_id": str(at)} for at, row in sorted(held.items())))


CHOICES: tuple[dict[str, Any], ...] = (
    {},
    *({"offences": chosen} for size in (1, 2) for chosen in itertools.combinations(OFFENCES, size)),
    {"offences": ("01",)},
    *({"areas": (area,)} for area in (*AREAS, "CAF")),
    {"areas": ("CF111",)},
    {"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)},
    {"since": dt.date(2026, 5, 4), "until": dt.date(2026, 5, 10)},
    {"since": dt.date(2026, 5, 5)},
    {"until": dt.date(2026, 5, 5)},
    {"columns": ("record_id", "offence_code")},
    {"columns": ("admin1_code",), "offences": ("0101",)},
)
asked = st.lists(some(*CHOICES), min_size=2, max_size=3)
precisions = some(
    {"area": "admin1", "time": "day", "age": "none"},
    {"area": "admin1", "time": "week", "age": "none"},
    {"area": "country", "time": "exact", "age": "none"},
)


def clause(k: int, precision: dict[str, str], **changes: Any) -> Row:
    columns = ["record_id", *TOLD]
    return permit(columns=columns, smallest_group=k, precision=precision, **changes)


# ── what must hold ─────────────────────────────────────────────────────────────────────────────


def answers(home: Home, choices: Iterable[dict[str, Any]]) -> list[dict[str, tuple[Any, ...]]]:
    """For each request: record → what is told of it, a column that was not asked for aside."""
    return [
        {row["_record"]: tuple(row.get(one) for one in TOLD) for row in home.extract(ask(**choice))}
        for choice in choices
    ]


def check_indistinct(told: Sequence[dict[str, tuple[Any, ...]]], k: int) -> None:
    """Whoever is told of has k − 1 others of whom every answer says the same."""
    everybody = {record for one in told for record in one}
    traces = Counter(tuple(one.get(record) for one in told) for record in everybody)
    assert all(size >= k for size in traces.values()), traces


def together(groups: dict[str, tuple[int, int]]) -> set[frozenset[str]]:
    found: dict[tuple[int, int], set[str]] = {}
    for record, group in groups.items():
        found.setdefault(group, set()).add(record)
    return {frozenset(one) for one in found.values()}


def check_not_split(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], unchanged: set[str]
) -> None:
    """Those who were told together and did not change stay together, and are told no finer."""
    for group in together(before):
        left = [record for record in group & unchanged if record in after]
        assert len({after[record] for record in left}) <= 1
        assert all(after[record][0] >= before[record][0] for record in left)


@settings(max_examples=30, deadline=None)
@given(histories(), some(2, 2, 3), precisions, asked)
@example(
    [rows({"offence_code": "0101"}, {"offence_code": "0102"})],
    2,
    {"area": "admin1", "time": "week", "age": "none"},
    [{"offences": ("0101",)}, {"offences": ("0102",)}, {"offences": ("0101", "0102")}],
)
def test_requests_together_tell_of_no_record_more_than_of_its_group(
    states: list[list[Row]], k: int, precision: dict[str, str], choices: list[dict[str, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), [agreement([clause(k, precision)])])
        before: dict[str, tuple[int, int]] = {}
        kept: dict[str, Row] = {}
        for held in states:
            home.deliver(held)
            told = answers(home, choices)
            check_indistinct(told, k)
            now, groups = {row["record_id"]: row for row in held}, home.groups()
            assert all(len(one) >= k for one in together(groups))
            unchanged = {record for record, row in now.items() if kept.get(record) == row}
            check_not_split(before, groups, unchanged)
            before, kept = groups, now
            for answer in told:
                for record, values in answer.items():
                    check_true(dict(zip(TOLD, values, strict=True)), now[record])


def check_true(told: Row, row: Row) -> None:
    """What is told coarsely is true, and a cell that is not told is empty."""
    assert told["offence_code"] is None or row["offence_code"].startswith(told["offence_code"])
    assert told["admin1_code"] in (None, row["admin1_code"])
    assert told["victims_total"] in (None, row["victims_total"])
    assert told["occurred_on"] is None or told["occurred_on"] <= row["occurred_on"]


# ── what a group hides makes no difference to any answer, counts beside records included ────────


def otherwise(row: Row, rung: int, permit: Permit, pick: Pick) -> Row:
    """The same row with something else in whatever its rung does not tell under that clause."""
    levels = levels_on(permit)[rung]
    area, time, detail = int(levels.area), int(levels.time), int(levels.detail)
    changed = {**row, "weapon_kind": "firearm"}
    del changed["occurred_on"]
    if time < TIME_LEVELS["exact"]:
        day = row["occurred_on"]
        near = [day + dt.timedelta(days=at) for at in range(-31, 32)]
        days = [one for one in near if period(one, time) == period(day, time)]
        changed["occurred_at"] = dt.datetime.combine(days[pick[0] % len(days)], dt.time(9))
    if area < AREA_LEVELS["admin1"]:
        changed["admin1_code"] = AREAS[pick[1] % len(AREAS)]
    if not detail:
        alike = [one for one in (*OFFENCES, "0502") if one[:2] == row["offence_code"][:2]]
        changed["offence_code"] = alike[pick[2] % len(alike)]
        changed["victims_total"] = (1, 2, 9)[pick[3] % 3]
    return dated(changed)


def period(day: dt.date, time: int) -> tuple[int, ...]:
    """The day, week or month that is told of a day; groups keep to a month."""
    month = (day.year, day.month)
    return {0: month, 1: (*month, *day.isocalendar()[:2]), 2: (*month, day.day)}[time]


COUNTED: tuple[dict[str, Any], ...] = (
    {"dimensions": ("admin1_code",)},
    {"dimensions": ("offence_division", "month")},
    {"dimensions": ("week",)},
    {"dimensions": ("day",), "since": dt.date(2026, 5, 5)},
    {"dimensions": ("country",), "areas": ("CF71",)},
    {"dimensions": ("country",), "offences": ("0101",)},
    {"dimensions": ("country",), "measures": ("records", "victims_total")},
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(incident(), min_size=3, max_size=8).map(lambda held: numbered(dict(enumerate(held)))),
    st.lists(some(*CHOICES), min_size=1, max_size=2),
    some(*COUNTED),
    some("minusca_unpol", "minusca_unpol_jma", "public"),
    st.tuples(*[st.integers(0, 30)] * 5),
)
@example(  # one of two that are told as `01` was counted under the offence it had
    rows(
        {"offence_code": "0102", "victims_total": 1},
        {"offence_code": "0101", "victims_total": 2},
    ),
    [{}],
    {"dimensions": ("country",), "offences": ("0101",)},
    "minusca_unpol_jma",
    (0, 0, 1, 0, 1),
)
def test_what_a_group_hides_makes_no_difference(
    held: list[Row],
    choices: list[dict[str, Any]],
    counted: dict[str, Any],
    recipient: str,
    pick: Pick,
) -> None:
    """Also to what the recipient, a unit of it and the public are told as counts."""
    day = {"area": "admin1", "time": "day", "age": "none"}
    many = counts(
        dimensions=["country", "admin1_code", "offence_division", "month", "week", "day"],
        recipients=["minusca_unpol", "public"],
        measures=["records", "victims_total"],
        precision=day,
        small_cell_threshold=2,
    )
    signed = [agreement([clause(2, day), many])]
    request = ask(form="counts", recipient=recipient, **counted)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), signed)
        home.deliver(held)
        told, groups, numbers = answers(home, choices), home.groups(), home.count(request)
        if not groups:
            return
        record = sorted(groups)[pick[4] % len(groups)]
        [row] = [row for row in held if row["record_id"] == record]
        changed = otherwise(row, groups[record][0], signed[0].permits[0], pick)
        other = [changed if one is row else one for one in held]
        home.deliver(other)
        assert answers(home, choices) == told
        assert home.groups() == groups
        assert home.count(request) == numbers

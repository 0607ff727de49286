"""A period outside of what is given, told apart from nothing that may leave; no more is told.

Not here: the sentences (`errors.py`) and where they are shown (`tests/integration`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pipelines.release.query.counts import compile_counts
from pipelines.release.query.flow import absence
from pipelines.release.query.records import compile_records
from schemas.contract import load_contract
from tests.unit.release.world import agreement, allowed_by, ask, catalogue, counts, permit, rows

JULY = {"since": dt.date(2026, 7, 1)}


def why(held: list[dict[str, Any]], clause: dict[str, Any], **asked: Any) -> tuple[str, Any]:
    request = ask(form=clause["form"], **asked)
    allowed, contract = allowed_by([agreement([clause])], request), load_contract("incidents")
    compiled = compile_counts if clause["form"] == "counts" else compile_records
    found = absence(
        catalogue("incidents", held), request, lambda one: compiled(one, allowed, contract)
    )
    return found.code, found.values.get("first")


MANY = rows(*({"occurred_at": dt.datetime(2026, 5, day, 12)} for day in range(1, 13)))


@pytest.mark.parametrize("clause", [permit(), counts()], ids=["records", "counts"])
def test_a_period_outside_of_what_is_given_has_nothing(clause: dict[str, Any]) -> None:
    assert why(MANY, clause, **JULY) == ("REL-124", "2026-05")
    assert why(MANY, clause, until=dt.date(2026, 4, 30)) == ("REL-124", "2026-05")
    assert why(MANY, clause, since=dt.date(2026, 5, 31)) == ("REL-125", None)
    assert why(MANY, clause, areas=("CF11",)) == ("REL-125", None)


def test_a_month_with_few_of_one_offence_does_not_lie_outside() -> None:
    others = rows(
        *(
            {"occurred_at": dt.datetime(2026, 7, d, 12), "offence_code": "0501"}
            for d in range(1, 13)
        )
    )
    assert why([*MANY, *others], permit(), **JULY, offences=("0101",)) == ("REL-125", None)
    assert why([*MANY, *others], permit(), **JULY, areas=("CF12",)) == ("REL-125", None)
    august = {"since": dt.date(2026, 8, 1), "offences": ("0501",)}
    assert why([*MANY, *others], permit(), **august) == ("REL-124", "2026-05")


def test_what_may_not_leave_does_not_show_in_the_span() -> None:
    secret = rows({"occurred_at": dt.datetime(2026, 7, 2), "handling": "STRICTLY_CONFIDENTIAL"})
    few = rows(*({"occurred_at": dt.datetime(2026, 8, day)} for day in (1, 2)))
    for more in (secret, few, [*secret, *few]):
        assert why([*MANY, *more], permit(), **JULY) == ("REL-124", "2026-05")


def test_a_clause_that_tells_no_time_tells_no_span() -> None:
    timeless = permit(columns=["record_id", "country"])
    assert why(MANY, timeless, **JULY) == ("REL-125", None)
    assert why([], permit(), **JULY) == ("REL-125", None)

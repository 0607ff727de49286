"""Groups of records alike: formed before anybody chooses, kept, and only ever made larger.

Not here: all cases at once (`tests/property/test_groups.py`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import stat
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock, Timeout

from pipelines.ledger.chain import append, entries
from pipelines.release.disclosure import groups as keeping
from pipelines.release.disclosure.groups import groups_file
from pipelines.release.disclosure.outdated import outdated_extracts
from pipelines.release.disclosure.past_disclosures import cells_folder, with_asked
from pipelines.release.query.cells import CELLS_SCHEMA
from pipelines.release.request import Request
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract
from tests.unit.release.world import Home, agreement, ask, counts, permit, restriction, rows

CLAUSE = permit(
    columns=["record_id", "country", "admin1_code", "occurred_on", "offence_code"],
    smallest_group=2,
)
APRIL = dt.datetime(2026, 4, 14, 12)


def home_of(folder: Path, *clauses: dict[str, Any], **changes: Any) -> Home:
    return Home(folder / "home", [agreement(clauses or [CLAUSE], **changes)])


def named(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Incidents numbered by their `id`, else in their order."""
    return rows(
        *(
            {"source_record_id": one.pop("id", str(at)), **one}
            for at, one in enumerate(map(dict, changes))
        )
    )


def told(extract: list[dict[str, Any]], *columns: str) -> dict[str, tuple[Any, ...]]:
    """Record → what is told of it."""
    names = columns or ("admin1_code", "occurred_on", "offence_code")
    return {row["_record"].split(":")[1]: tuple(row[one] for one in names) for row in extract}


def test_three_requests_do_not_tell_what_one_may_not(tmp_path: Path) -> None:
    """Each of two offences alone was refused and both together gave two rows: one of each."""
    home = Home(tmp_path / "home", load_agreements())
    base = {
        "source": "cod_pnc",
        "country": "COD",
        "admin1_code": "CD54",
        "time_zone": "Africa/Lubumbashi",
        "occurred_at": APRIL,
    }
    home.deliver(
        rows(
            {**base, "offence_code": "0101", "source_record_id": "b"},
            {**base, "offence_code": "0102", "source_record_id": "x"},
        )
    )
    request = {"recipient": "monusco_unpol", "purpose": "protection_of_civilians"}
    whole = home.extract(ask(**request))
    assert told(whole, "offence_code", "admin1_code") == {"b": ("01", None), "x": ("01", None)}
    for chosen in (("0101",), ("0102",), ("0101", "0102")):
        assert home.extract(ask(**request, offences=chosen)) == []
        assert home.flow.has_others_across, "told without a number"
    assert len(home.extract(ask(**request, offences=("01",)))) == 2
    assert home.extract(ask(**request, areas=("CD54",))) == []
    assert len(home.extract(ask(**request, areas=("COD",)))) == 2
    week = {"since": dt.date(2026, 4, 13), "until": dt.date(2026, 4, 19)}
    assert home.extract(ask(**request, **week)) == []
    month = {"since": dt.date(2026, 4, 1), "until": dt.date(2026, 4, 30)}
    assert len(home.extract(ask(**request, **month))) == 2


def test_a_later_record_joins_a_group_or_waits_and_splits_none(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    first = named({"offence_code": "0501"}, {"offence_code": "0502"})
    home.deliver(first)
    assert set(told(home.extract(ask()), "offence_code").values()) == {("05",)}
    # two more of each: by themselves they are fine groups; those who were told together stay so
    more = named(
        *({"offence_code": "0501", "id": f"a{at}"} for at in range(2)),
        {"offence_code": "0502", "id": "b"},
        {"offence_code": "0601", "id": "c"},
    )
    home.deliver([*first, *more])
    after = told(home.extract(ask()), "offence_code")
    assert after == {
        "0": ("05",),
        "1": ("05",),
        "a0": ("0501",),
        "a1": ("0501",),
        "b": ("05",),
    }, "and the one that is like no other waits"
    home.deliver([*first, *more, *named({"offence_code": "0601", "id": "d"})])
    assert told(home.extract(ask()), "offence_code")["c"] == ("0601",)


def test_a_withdrawal_makes_the_group_coarser_with_its_nearest_sibling(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    held = named(
        *({"offence_code": "0501", "id": f"a{at}"} for at in range(2)),
        *({"offence_code": "0502", "id": f"b{at}"} for at in range(3)),
        *({"offence_code": "0503", "id": f"c{at}"} for at in range(2)),
        *({"offence_code": "0601", "id": f"d{at}"} for at in range(2)),
    )
    home.deliver(held)
    assert {one for (one,) in told(home.extract(ask()), "offence_code").values()} == {
        "0501",
        "0502",
        "0503",
        "0601",
    }
    home.deliver(held[1:])
    after = told(home.extract(ask()), "offence_code")
    assert after["a1"] == ("05",), "alone now"
    assert after["c0"] == after["c1"] == ("05",), "the smallest of those that are like it"
    assert after["b0"] == ("0502",) and after["d0"] == ("0601",), "others pay nothing"
    home.deliver(held)
    again = told(home.extract(ask()), "offence_code")
    assert again == {**after, "a0": ("05",)}, "what came back joins; no group is made finer"


def test_a_record_without_a_sibling_is_told_no_longer(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    held = named({}, {})
    home.deliver(held)
    assert len(home.extract(ask())) == 2
    home.deliver(held[:1])
    assert home.extract(ask()) == []


def test_a_correction_moves_a_record_and_a_harmless_one_does_not(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    held = named(
        *({"id": f"a{at}"} for at in range(3)),
        *({"offence_code": "0601", "id": f"b{at}"} for at in range(2)),
    )
    home.deliver(held)
    home.extract(ask())
    groups = home.groups()
    home.deliver([{**held[0], "weapon_kind": "machete"}, *held[1:]])
    home.extract(ask())
    assert home.groups() == groups
    home.deliver([{**held[0], "offence_code": "0601"}, *held[1:]])
    after = told(home.extract(ask()), "offence_code")
    assert Counter(after.values()) == {("0501",): 2, ("0601",): 3}


def test_a_month_leaves_once_it_is_over_and_its_delay_too(tmp_path: Path) -> None:
    """A record of an open month waits: those to come would decide who is told with whom."""
    coarse = {"area": "admin1", "time": "week", "age": "none"}
    home = home_of(tmp_path, {**CLAUSE, "precision": coarse, "delay_days": 10})
    early = named(
        {"occurred_at": dt.datetime(2026, 5, 1, 12)}, {"occurred_at": dt.datetime(2026, 5, 1, 12)}
    )
    home.deliver(early)
    # the last week of May ends on the 31st
    assert home.extract(ask(as_of=dt.date(2026, 6, 9))) == []
    assert len(home.extract(ask(as_of=dt.date(2026, 6, 10)))) == 2
    # April ended within a week that began in it
    last = named(
        {"occurred_at": dt.datetime(2026, 4, 30, 12), "id": "x"},
        {"occurred_at": dt.datetime(2026, 4, 30, 12), "id": "y"},
    )
    home.deliver(last)
    assert home.extract(ask(as_of=dt.date(2026, 5, 12))) == []
    assert len(home.extract(ask(as_of=dt.date(2026, 5, 13)))) == 2


def test_the_groups_are_private_and_asked_again_they_are_the_same_bytes(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    home.deliver(named(*({"id": f"a{at}"} for at in range(4))))
    first = home.extract(ask())
    [clause] = home.signed[0].permits
    file = groups_file(home.settings, clause)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept, when = file.read_bytes(), file.stat().st_mtime_ns
    assert home.extract(ask()) == first
    home.extract(ask(columns=("offence_code",), areas=("CF71",), since=dt.date(2026, 5, 1)))
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (kept, when)
    assert set(pq.read_table(file).column_names) == {"record_id", "month", "rung", "alike"}


def test_groups_know_by_which_contract_they_were_formed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under another one, those who were told alike are looked for by other values."""
    home = home_of(tmp_path)
    home.deliver(named({}, {}))
    home.extract(ask())
    file = groups_file(home.settings, home.signed[0].permits[0])

    def said() -> bytes:
        return pq.read_metadata(file).metadata[b"told"]

    before = said()
    monkeypatch.setattr(
        keeping, "load_contract", lambda table: replace(load_contract(table), version="99.0.0")
    )
    home.extract(ask())
    assert said() != before


def test_groups_are_brought_up_to_date_by_turns(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    [clause] = home.signed[0].permits
    plain = clause.model_copy(update={"smallest_group": None})
    lock = home.settings.release_groups / ".lock"
    with keeping.by_turns(home.settings, [plain]):
        assert not lock.exists(), "where no clause has groups nobody waits"
    with keeping.by_turns(home.settings, [plain, clause]), pytest.raises(Timeout):
        FileLock(lock, timeout=0).acquire()
    with FileLock(lock, timeout=0):
        pass


def test_an_earlier_day_is_answered_from_the_same_groups(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    home.deliver(named({}, {}, *({"occurred_at": APRIL, "id": f"x{at}"} for at in range(2))))
    assert len(home.extract(ask())) == 4
    assert set(told(home.extract(ask(as_of=dt.date(2026, 5, 20))))) == {"x0", "x1"}
    assert len(home.extract(ask())) == 4


def test_who_asks_as_of_an_earlier_day_takes_no_month_out_of_the_groups(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    held = named({}, {}, *({"occurred_at": APRIL, "id": f"x{at}"} for at in range(2)))
    home.deliver(held)
    home.extract(ask())
    groups = home.groups()
    home.deliver([*held, *named({"occurred_at": APRIL, "id": "y"})])
    assert len(home.extract(ask(as_of=dt.date(2026, 5, 20)))) == 3
    assert home.groups().items() >= groups.items()


@pytest.mark.parametrize(
    "change",
    [
        {"columns": [*CLAUSE["columns"], "victims_total"]},
        {"columns": [one for one in CLAUSE["columns"] if one != "admin1_code"]},
        {"precision": {"area": "admin1", "time": "exact", "age": "none"}},
        {"smallest_group": 3},
    ],
)
def test_a_changed_clause_keeps_together_who_was_told_together(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    home = home_of(tmp_path)
    pair = named({"offence_code": "0501", "id": "a"}, {"offence_code": "0502", "id": "b"})
    home.deliver(pair)
    home.extract(ask())
    together = home.groups()
    assert len(set(together.values())) == 1
    crowd = named(
        *(
            {"offence_code": code, "id": f"{code}{at}"}
            for code in ("0501", "0502")
            for at in range(3)
        )
    )
    home.signed = [agreement([{**CLAUSE, **change}], version="1.1.0")]
    home.deliver([*pair, *crowd])
    after = told(home.extract(ask()), "offence_code")
    assert after["a"] == after["b"] == ("05",)
    assert {("0501",), ("0502",)} & set(after.values()), "others are told as finely as before"
    assert min(Counter(home.groups().values()).values()) >= change.get("smallest_group", 2)


def test_who_holds_what_is_told_more_coarsely_now_is_told(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    held = named(
        {"offence_code": "0501", "id": "a"},
        {"offence_code": "0501", "id": "b"},
        {"offence_code": "0502", "id": "c"},
        {"offence_code": "0502", "id": "d"},
        {"offence_code": "0601", "id": "e"},
        {"offence_code": "0601", "id": "f"},
    )
    home.deliver(held)
    home.extract(ask())
    for extract, records in {
        "000000000001": "ab",
        "000000000002": "ef",
        "000000000003": "c",
    }.items():
        given(home, extract, records)
    home.deliver(held[1:])
    home.extract(ask())
    found = outdated_extracts(home.settings)
    assert [one.extract_id for one in found] == ["000000000001", "000000000003"]
    assert {one.recipient for one in found} == {"minusca_unpol"}
    home.deliver([*held[1:-1]])
    home.extract(ask())
    assert len(outdated_extracts(home.settings)) == 3
    noted = entries(home.settings, events=["extract.outdated"]).entries
    assert Counter(one.subject for one in noted) == dict.fromkeys(
        ("000000000001", "000000000002", "000000000003"), 1
    ), "each is told once"
    given(home, "000000000004", "b")
    assert outdated_extracts(home.settings) == [], "a later one takes their place"
    assert outdated_extracts(home.settings, "000000000001"), "though it is outdated itself"


def test_records_of_two_countries_are_not_alike(tmp_path: Path) -> None:
    """A request could choose one of them, though a country identifies nobody."""
    home = home_of(tmp_path)
    nowhere = {"admin1_code": None}
    home.deliver(named(nowhere, {**nowhere, "country": "COD"}))
    assert home.extract(ask()) == []
    assert home.groups() == {}


def test_a_day_and_a_week_that_begins_with_it_are_alike_only_as_a_week(tmp_path: Path) -> None:
    """Until that day there is one of them: a choice of days would tell which."""
    home = home_of(tmp_path)
    monday = {"occurred_at": dt.datetime(2026, 5, 11, 12)}
    home.deliver(named(monday, {**monday, "occurred_at_precision": "week"}))
    assert home.extract(ask(until=dt.date(2026, 5, 11))) == []
    assert {rung for rung, _alike in home.groups().values()} == {2}


def test_counts_of_a_day_gone_by_have_no_record_that_waited_then(tmp_path: Path) -> None:
    by_day = counts(precision={"area": "admin1", "time": "day", "age": "none"})
    home = home_of(tmp_path, CLAUSE, by_day)
    home.deliver(named({}, {}))
    assert len(home.extract(ask())) == 2
    request = ask(form="counts", dimensions=("country",))
    assert home.count(request).num_rows == 2
    open_month = dataclasses.replace(request, as_of=dt.date(2026, 5, 20))
    assert home.count(open_month).num_rows == 0


@pytest.mark.parametrize(
    ("asked", "is_outdated"),
    [
        ({"dimensions": ("country",)}, False),
        ({"dimensions": ("country", "month")}, False),
        ({"dimensions": ("country", "week")}, True),
        ({"dimensions": ("admin1_code",)}, True),
        ({"dimensions": ("offence_division",)}, False),
        ({"areas": ("CAF",)}, False),
        ({"areas": ("CF71",)}, True),
        ({"offences": ("0501",)}, False),
        ({"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)}, False),
        ({"since": dt.date(2026, 5, 2)}, True),
        ({"until": dt.date(2026, 5, 30)}, True),
        ({"measures": ("victims_total",)}, False),
    ],
)
def test_counts_are_outdated_that_tell_more_than_the_group_does_now(
    tmp_path: Path, asked: dict[str, Any], is_outdated: bool
) -> None:
    """The pair of one prefecture is told by the country and the month, once one of it is gone."""
    home = home_of(tmp_path)
    held = named(
        {"id": "a"},
        {"id": "b"},
        {"id": "c", "admin1_code": "CF11"},
        {"id": "d", "admin1_code": "CF11"},
    )
    home.deliver(held)
    home.extract(ask())
    request = ask(form="counts", **{"dimensions": ("country",), **asked})
    given(home, "000000000001", "b", request)
    given(home, "000000000002", "b", ask(form="counts", table="seizures"))
    home.deliver(held[1:])
    home.extract(ask())
    assert {rung for rung, _alike in home.groups().values()} == {3}
    found = outdated_extracts(home.settings)
    assert [(one.extract_id, one.form) for one in found] == (
        [("000000000001", "counts")] if is_outdated else []
    )
    given(home, "000000000003", "c")
    assert outdated_extracts(home.settings) == found, "records do not take the place of counts"
    given(home, "000000000004", "c", request)
    assert outdated_extracts(home.settings) == []


def test_counts_are_outdated_by_an_offence_that_is_told_no_longer_and_of_records_that_wait(
    tmp_path: Path,
) -> None:
    home = home_of(tmp_path)
    kinds = {"a": "0501", "b": "0501", "c": "0502", "d": "0502"}
    held = named(*({"id": one, "offence_code": kind} for one, kind in kinds.items()))
    home.deliver(held)
    home.extract(ask())
    finer, coarse = ("offence_division", "offence_code"), ("offence_section", "country")
    for dimension in (*finer, *coarse):
        given(home, dimension, "b", ask(form="counts", dimensions=(dimension,)))
    given(home, "chosen", "b", ask(form="counts", dimensions=("country",), offences=("0501",)))
    given(home, "whole", "b", ask(form="counts", dimensions=("country",), offences=("05",)))
    home.deliver(held[1:])
    home.extract(ask())
    assert {one.extract_id for one in outdated_extracts(home.settings)} == {*finer, "chosen"}
    home.deliver(held[1:2])
    home.extract(ask())
    assert {one.extract_id for one in outdated_extracts(home.settings)} == {
        *(*finer, *coarse, "chosen", "whole")
    }


def given(home: Home, extract: str, records: str, request: Request | None = None) -> None:
    form = "counts" if request else "records"
    if request:
        told = cells_folder(home.settings, request.table, request.recipient)
        told.mkdir(parents=True, exist_ok=True)
        kept = with_asked(CELLS_SCHEMA.empty_table(), request, ("caf_police",))
        pq.write_table(kept, told / f"{extract}.parquet")
    home.settings.release_records.mkdir(exist_ok=True)
    table = pa.table(
        {
            "record_id": [f"caf_police:{one}" for one in records],
            "clause": ["trial/P2" if request else "trial/P1"] * len(records),
            "given_as": list(records),
            "form": [form] * len(records),
        }
    )
    pq.write_table(table, home.settings.release_records / f"{extract}.parquet")
    details = {"recipient": "minusca_unpol", "purpose": "joint_planning", "form": form}
    details["table"] = request.table if request else "incidents"
    append(home.settings, "extract.made", actor="desk", subject=extract, details=details)


def test_a_clause_takes_a_record_whatever_is_asked(tmp_path: Path) -> None:
    """A record of two clauses leaves by the more generous one, or groups would be taken apart."""
    fine = permit(
        columns=["record_id", "admin1_code", "occurred_at"],
        rows={"handling_ceiling": "CONFIDENTIAL", "areas": ["CF71"]},
        precision={"area": "admin1", "time": "day", "age": "none"},
        smallest_group=2,
    )
    coarse = permit(
        columns=["record_id", "country", "offence_code", "occurred_at"],
        precision={"area": "country", "time": "month", "age": "none"},
        smallest_group=3,
    )
    home = home_of(tmp_path, fine, coarse)
    home.deliver(
        named(
            *({"admin1_code": "CF71", "id": f"a{at}"} for at in range(2)),
            *({"admin1_code": "CF11", "id": f"b{at}"} for at in range(2)),
        )
    )
    whole = {row["_record"]: row["clause"] for row in home.extract(ask())}
    assert set(whole.values()) == {"trial/P1"}, "of the group of four two are left to the second"
    assert home.extract(ask(offences=("05",))) == []
    assert home.extract(ask(columns=("offence_code",))) == []
    home.deliver([*home.held, *named({"admin1_code": "CF11", "id": "b2"})])
    assert len(home.extract(ask(columns=("offence_code",)))) == 3
    assert len(home.extract(ask())) == 5


def test_two_clauses_of_a_recipient_name_a_record_differently(tmp_path: Path) -> None:
    first = {**CLAUSE, "precision": {"area": "admin1", "time": "day", "age": "none"}}
    second = {
        **CLAUSE,
        "columns": ["record_id", "country", "occurred_at"],
        "purposes": ["protection_of_civilians"],
    }
    home = home_of(tmp_path, first, second)
    home.deliver(named({}, {}))
    names = [
        {row["record_id"] for row in home.extract(ask(purpose=purpose))}
        for purpose in ("joint_planning", "protection_of_civilians")
    ]
    assert len(names[0]) == len(names[1]) == 2
    assert not names[0] & names[1]


def test_a_restriction_forms_no_groups(tmp_path: Path) -> None:
    held = named(
        {"offence_code": "0501"},
        {"offence_code": "0502"},
        {"offence_code": "0601"},
        {"offence_code": "0601"},
    )
    home = home_of(tmp_path)
    home.deliver(held)
    home.extract(ask())
    groups = home.groups()
    home.signed = [agreement([CLAUSE], [restriction(rows={"offences": ["0502"]})])]
    left = told(home.extract(ask()), "offence_code")
    assert home.groups() == groups
    assert left == {"2": ("0601",), "3": ("0601",)}, (
        "of the pair one is left, who is told no longer"
    )


def test_records_alike_on_one_rung_only_are_no_group(tmp_path: Path) -> None:
    """A week known as such and a day in it are told alike by the week, and not by the month.

    Made coarser as a whole they could not be told alike any more.
    """
    coarse = {"area": "admin1", "time": "week", "age": "none"}
    home = home_of(tmp_path, {**CLAUSE, "precision": coarse})
    monday = dt.date(2026, 4, 27)  # its week ends on 3 May
    week = {"occurred_on": monday, "occurred_at": None, "occurred_at_precision": "week"}
    day = {"occurred_on": dt.date(2026, 5, 2), "occurred_at_precision": "day"}
    home.deliver(named(week, {**day, "occurred_at": None}))
    assert home.extract(ask()) == []
    home.deliver(named(*({**week, "id": f"w{at}"} for at in range(2))))
    assert set(told(home.extract(ask()), "occurred_on").values()) == {(monday,)}


def test_a_record_that_is_alone_waits_and_makes_nobody_coarser(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    home.deliver(named({}, {}, {"offence_code": "0502", "id": "alone"}))
    assert told(home.extract(ask()), "offence_code") == {"0": ("0501",), "1": ("0501",)}
    assert home.flow.clauses[0].dropped["k"] == 1


def test_a_changed_clause_tells_no_group_more_exactly(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    home.deliver(named({"offence_code": "0501"}, {"offence_code": "0502"}))
    assert set(told(home.extract(ask()), "offence_code").values()) == {("05",)}
    home.signed = [agreement([{**CLAUSE, "columns": [*CLAUSE["columns"], "victims_total"]}])]
    home.deliver(named({"offence_code": "0501"}, {"offence_code": "0501"}))
    assert set(told(home.extract(ask()), "offence_code").values()) == {("05",)}

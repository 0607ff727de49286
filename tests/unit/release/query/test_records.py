"""Which rows of records leave, under which clause, and what of the request is heard.

Not here: how coarse they are (`test_precision.py`) and all cases at once (`tests/property`).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from pipelines.release.errors import ReleaseError
from tests.unit.release.world import (
    AS_OF,
    Extract,
    agreement,
    allowed_by,
    ask,
    permit,
    restriction,
    rows,
)

OPENS = {"rows": {"handling_ceiling": "CONFIDENTIAL"}}


def offences(extract: Extract) -> list[str]:
    return sorted(row["offence_code"] for row in extract.rows)


def test_a_row_without_a_clause_stays() -> None:
    held = rows({"source": "cod_pnc"}, {"source": "caf_police"}, {"source": "minusca_unpol"})
    extract = Extract(held, [agreement([permit()])], ask())
    assert [one for one, _clause, _given in extract.holdings] == ["caf_police:PK5/2026-05-13/1"]


@pytest.mark.parametrize(
    ("row", "leaves"),
    [
        ({"handling": "UNCLASSIFIED"}, True),
        ({"handling": "CONFIDENTIAL"}, True),
        ({"handling": "STRICTLY_CONFIDENTIAL"}, False),
        ({"handling": None}, False),
        ({"handling": "COSMIC"}, False),
        ({"is_sensitive": True}, False),
        ({"is_sensitive": None}, False),
        ({"occurred_at": None}, False),
        ({"source": None, "record_id": "x", "source_record_id": "x"}, False),
    ],
)
def test_what_a_row_does_not_say_does_not_open_it(row: dict[str, object], leaves: bool) -> None:
    assert len(Extract(rows(row), [agreement([permit()])], ask()).rows) == leaves


@pytest.mark.parametrize(
    ("conditions", "row", "leaves"),
    [
        ({"countries": ["CAF"]}, {}, True),
        ({"countries": ["COD"]}, {}, False),
        ({"areas": ["CF71"]}, {}, True),
        ({"areas": ["CF11"]}, {}, False),
        ({"areas": ["CF71"]}, {"admin1_code": None, "admin2_code": "CF711"}, True),
        ({"areas": ["CF11"]}, {"admin1_code": None, "admin2_code": "CF711"}, False),
        ({"areas": ["CF711"]}, {"admin2_code": "CF711"}, True),
        ({"areas": ["CF711"]}, {"admin2_code": None}, False),
        ({"areas": ["CF71"]}, {"admin1_code": None}, False),
        ({"offences": ["05"]}, {}, True),
        ({"offences": ["0502", "04"]}, {}, False),
        ({"offences": ["05"]}, {"offence_code": None}, False),
        ({"except_offences": ["0501"]}, {}, False),
        ({"except_offences": ["03"]}, {}, True),
        ({"except_offences": ["03"]}, {"offence_code": None}, False),
        ({"since": "2026-05-13", "until": "2026-05-13"}, {}, True),
        ({"since": "2026-05-14"}, {}, False),
        ({"until": "2026-05-12"}, {}, False),
        # 23:30 UTC is half past midnight at the place
        ({"since": "2026-05-14"}, {"occurred_at": dt.datetime(2026, 5, 13, 23, 30)}, True),
        # some day in May is not surely in the second half of May
        ({"since": "2026-05-10"}, {"occurred_at_precision": "month"}, True),
        ({"until": "2026-05-20"}, {"occurred_at_precision": "month"}, False),
        ({"border_points": ["CAF-COD-ZONGO"]}, {}, False),
        ({"sensitive": True}, {"is_sensitive": True}, True),
    ],
)
def test_each_condition_of_a_clause(
    conditions: dict[str, object], row: dict[str, object], leaves: bool
) -> None:
    clause = permit(rows={"handling_ceiling": "CONFIDENTIAL", **conditions})
    assert len(Extract(rows(row), [agreement([clause])], ask()).rows) == leaves


@pytest.mark.parametrize(
    ("time", "last_day_that_leaves"),
    [
        ("exact", dt.date(2026, 6, 20)),
        ("day", dt.date(2026, 6, 20)),
        ("week", dt.date(2026, 6, 14)),
        ("month", dt.date(2026, 5, 31)),
    ],
)
def test_a_delay_counts_from_the_end_of_what_is_told(
    time: str, last_day_that_leaves: dt.date
) -> None:
    """Else asking on two days running would tell the day of a record that is told by the month."""
    days = [AS_OF - dt.timedelta(days=back) for back in range(45)]
    held = rows(*({"occurred_at": dt.datetime.combine(day, dt.time(12))} for day in days))
    clause = permit(delay_days=10, precision={"area": "admin1", "time": time, "age": "none"})
    extract = Extract(held, [agreement([clause])], ask())
    left = {one for one, _clause, _given in extract.holdings}
    latest = max(row["occurred_at"].date() for row in held if row["record_id"] in left)
    assert latest == last_day_that_leaves
    assert extract.flow.clauses[0].dropped["delay"] == len(held) - len(left)


def test_a_row_leaves_once_by_the_most_generous_clause_and_shows_only_its_columns() -> None:
    fine = permit(
        columns=["record_id", "admin2_code", "occurred_at"],
        rows={"handling_ceiling": "CONFIDENTIAL", "areas": ["CF71"]},
        precision={"area": "admin2", "time": "day", "age": "none"},
    )
    coarse = permit(columns=["record_id", "admin1_code", "occurred_at", "weapon_kind", "source"])
    held = rows(
        {"admin2_code": "CF711", "weapon_kind": "machete"},
        {"admin1_code": "CF11", "admin2_code": "CF111", "weapon_kind": "machete"},
    )
    extract = Extract(held, [agreement([coarse, fine])], ask())
    told = {row["clause"]: row for row in extract.rows}
    assert len(extract.rows) == 2
    assert told["trial/P2"]["admin2_code"] == "CF711"
    assert told["trial/P2"]["weapon_kind"] is None
    assert told["trial/P2"]["admin1_code"] is None
    assert told["trial/P1"]["admin2_code"] is None
    assert told["trial/P1"]["weapon_kind"] == "machete"
    masked = {one.clause: one.masked for one in extract.flow.clauses}
    assert masked["trial/P2"]["weapon_kind"] == 1
    assert masked["trial/P1"]["admin2_code"] == 1


def test_a_restriction_wins_over_every_agreement() -> None:
    held = rows({"offence_code": "0101"}, {"offence_code": "0501"}, {"offence_code": None})
    signed = [agreement([permit()], [restriction(rows={"offences": ["01"]})])]
    extract = Extract(held, signed, ask())
    assert offences(extract) == ["0501"], "and a row that does not say its offence is held back"
    assert extract.flow.clauses[0].dropped["restriction"] == 2
    other = agreement([permit()], agreement="other")
    assert offences(Extract(held, [*signed, other], ask())) == ["0501"]


def test_a_masked_column_takes_with_it_what_would_tell_it() -> None:
    columns = ["record_id", "offence_code", "offence_text", "victims_total", "victims_female"]
    columns += ["victims_male", "admin1_code", "place_text", "latitude_deg", "time_zone"]
    clause = permit(columns=columns, precision={"area": "point", "time": "exact", "age": "none"})
    full = {"offence_text": "Vol", "victims_total": 3, "victims_female": 1, "victims_male": 2}
    full |= {"place_text": "PK5", "latitude_deg": 4.4}
    for masked, gone in [
        ("offence_code", {"offence_code", "offence_text"}),
        ("victims_total", {"victims_total", "victims_female", "victims_male"}),
        ("admin1_code", {"admin1_code", "place_text", "latitude_deg", "time_zone"}),
        ("place_text", {"place_text", "latitude_deg"}),
    ]:
        signed = [agreement([clause], [restriction(columns=[masked])])]
        [row] = Extract(rows(full), signed, ask()).rows
        assert {one for one in columns if row[one] is None} == gone, masked


def test_a_record_of_which_a_place_is_masked_loses_the_number_that_tells_it() -> None:
    clause = permit(precision={"area": "point", "time": "exact", "age": "none"})
    [row] = Extract(rows({}), [agreement([clause])], ask()).rows
    assert row["record_id"] == "caf_police:PK5/2026-05-13/0"
    signed = [agreement([clause], [restriction(columns=["place_text"])])]
    [row] = Extract(rows({}), signed, ask()).rows
    assert "PK5" not in row["record_id"] and "2026" not in row["record_id"]


def test_what_is_asked_only_narrows() -> None:
    held = rows(
        {"offence_code": "0101", "admin1_code": "CF71"},
        {"offence_code": "0501", "admin1_code": "CF11"},
        {"offence_code": "0502", "admin1_code": None},
    )
    signed = [agreement([permit()])]
    assert offences(Extract(held, signed, ask())) == ["0101", "0501", "0502"]
    assert offences(Extract(held, signed, ask(areas=("CF11",)))) == ["0501"]
    assert offences(Extract(held, signed, ask(areas=("CAF",)))) == ["0101", "0501", "0502"]
    assert offences(Extract(held, signed, ask(offences=("05",)))) == ["0501", "0502"]
    assert offences(Extract(held, signed, ask(since=dt.date(2026, 5, 14)))) == []
    assert list(Extract(held, signed, ask(columns=("offence_code",))).rows[0]) == [
        "offence_code",
        "clause",
    ]


@pytest.mark.parametrize(
    ("choice", "rows_left", "others_across"),
    [
        ({}, 2, False),
        ({"areas": ("CF71",)}, 2, False),
        ({"areas": ("CF711",)}, 0, True),
        ({"areas": ("CF11",)}, 0, False),
        ({"areas": ("CF112", "CAF")}, 2, False),
        ({"areas": ("COD",)}, 0, False),
        ({"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 31)}, 2, False),
        ({"since": dt.date(2026, 5, 2)}, 0, True),
        ({"until": dt.date(2026, 5, 30)}, 0, True),
        ({"since": dt.date(2026, 6, 1)}, 0, False),
        ({"until": dt.date(2026, 4, 30)}, 0, False),
        ({"areas": ("CF711",), "since": dt.date(2026, 6, 1)}, 0, False),
        ({"areas": ("CF71",), "since": dt.date(2026, 5, 2)}, 0, True),
    ],
)
def test_a_record_is_taken_only_if_all_that_is_told_of_it_lies_within(
    choice: dict[str, Any], rows_left: int, others_across: bool
) -> None:
    """Else asking day by day, or district by district, would tell what the clause holds back."""
    held = rows({"admin2_code": "CF711"}, {"admin2_code": None})
    signed = [agreement([permit(precision={"area": "admin1", "time": "month", "age": "none"})])]
    extract = Extract(held, signed, ask(**choice))
    assert len(extract.rows) == rows_left
    assert extract.flow.has_others_across == others_across


def test_an_area_lies_across_where_only_the_country_is_told() -> None:
    coarse = {"area": "country", "time": "day", "age": "none"}
    extract = Extract(rows({}), [agreement([permit(precision=coarse)])], ask(areas=("CF11",)))
    assert extract.rows == []
    assert extract.flow.has_others_across


def test_no_choice_by_what_the_clause_does_not_open_or_a_restriction_masks() -> None:
    held = rows({}, {"offence_code": "0101"})
    signed = [agreement([permit(columns=["record_id", "country"])])]
    for choice in ({"offences": ("05",)}, {"since": dt.date(2026, 1, 1)}):
        assert Extract(held, signed, ask(**choice)).rows == []
    masked = [agreement([permit()], [restriction(columns=["offence_code"])])]
    assert Extract(held, masked, ask(offences=("05",))).rows == []
    assert len(Extract(held, masked, ask()).rows) == 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"columns": ("no_such_column",)}, "REL-104"),
        ({"columns": ("document_number",), "table": "border_crossings"}, "REL-104"),
        ({"columns": ("weapon_kind",)}, "REL-106"),
        ({"columns": ("place_text",)}, "REL-106"),
        ({"areas": ("XX99",)}, "REL-113"),
        ({"areas": ("CF71' OR 1=1 --",)}, "REL-113"),
        ({"offences": ("99",)}, "REL-113"),
        ({"offences": ("",)}, "REL-113"),
        ({"since": dt.date(2026, 2, 1), "until": dt.date(2026, 1, 1)}, "REL-112"),
        ({"recipient": "nobody"}, "REL-101"),
        ({"purpose": "curiosity"}, "REL-102"),
        ({"purpose": "reporting_dpo"}, "REL-105"),
        ({"as_of": dt.date(2027, 1, 1)}, "REL-105"),
        ({"recipient": "public"}, "REL-105"),
    ],
)
def test_what_does_not_exist_or_is_not_open_is_refused(wrong: dict[str, object], code: str) -> None:
    clauses = [permit(columns=["record_id", "place_text", "occurred_at"])]
    clauses.append(permit(table="border_crossings", columns=["record_id"]))
    with pytest.raises(ReleaseError) as refused:
        Extract([], [agreement(clauses)], ask(**wrong))
    assert refused.value.code == code
    assert refused.value.text("fr") and refused.value.text("en")


def test_a_column_that_no_clause_opens_is_named_and_left_out() -> None:
    extract = Extract(rows({}), [agreement([permit()])], ask(columns=("country", "place_text")))
    assert extract.compiled.withheld == ("place_text",)
    assert list(extract.rows[0]) == ["country", "clause"]


def test_the_order_tells_nothing_and_is_always_the_same() -> None:
    held = rows(*({"source_record_id": f"PK{at:02}"} for at in range(30)))
    extract = Extract(held, [agreement([permit()])], ask())
    again = Extract(list(reversed(held)), [agreement([permit()])], ask())
    assert extract.rows == again.rows
    assert [row["record_id"] for row in extract.rows] == sorted(
        row["record_id"] for row in extract.rows
    )
    assert [one for one, _clause, _given in extract.holdings] != sorted(
        one for one, _clause, _given in extract.holdings
    ), "in the order of the stations, neighbours would be of one station"


def test_small_numbers_are_not_told_and_others_only_roughly() -> None:
    held = rows(
        *({} for _ in range(12)),
        {"is_sensitive": True},
        *({"handling": "STRICTLY_CONFIDENTIAL"} for _ in range(13)),
    )
    [told] = Extract(held, [agreement([permit()])], ask()).flow.told()
    assert told["kept"] == "12"
    assert told["dropped"] == {"ceiling": "≥10", "sensitivity": "<5"}


def test_literals_are_quoted() -> None:
    """A value of an agreement with a quote in it is a value, not SQL."""
    clause = permit(rows={"handling_ceiling": "CONFIDENTIAL", "areas": ["O'Hare", "CF71"]})
    assert len(Extract(rows({}), [agreement([clause])], ask()).rows) == 1


def test_what_others_hold_back_is_no_part_of_an_extract() -> None:
    theirs = agreement(
        [permit()], [restriction(providers=["cod_pnc"], reason={"en": "elsewhere", "fr": "là"})]
    )
    extract = Extract(rows({}), [theirs], ask())
    assert len(extract.rows) == 1
    assert "cod_pnc" not in extract.compiled.sql
    allowed = allowed_by([theirs], ask())
    assert allowed.restrictions == ()
    assert allowed_by([agreement([permit()], [restriction()])], ask()).restrictions


@pytest.mark.parametrize(
    "choice",
    [
        {"areas": ("CF71",)},
        {"offences": ("05",)},
        {"since": AS_OF - dt.timedelta(days=20)},
        {"since": dt.date(2026, 5, 1), "until": dt.date(2026, 5, 27)},
    ],
)
def test_a_narrow_choice_does_not_ask_out_what_is_kept_back(choice: dict[str, Any]) -> None:
    assert ask(**choice).is_narrow
    assert not ask(since=dt.date(2026, 5, 1), until=dt.date(2026, 5, 28)).is_narrow
    assert not ask(until=AS_OF).is_narrow
    held = rows({}, *({"is_sensitive": True} for _one in range(9)))
    flow = Extract(held, [agreement([permit()])], ask()).flow
    assert flow.told()[0]["dropped"] == {"sensitivity": "≥5"}
    narrow = replace(flow, is_withheld_told=False).told()[0]
    assert (narrow["dropped"], narrow["masked"]) == ({}, {})


def test_two_extracts_with_some_of_the_columns_each_tell_no_more_than_one() -> None:
    """Each by itself is of groups of three; laid side by side in their order they are not."""
    days = [dt.datetime(2026, 5, 11 + 7 * week) for week in range(3)]
    held = rows(
        *(
            {"occurred_at": day, "offence_code": code}
            for day in days
            for code in ("0501", "0601", "0901")
        )
    )
    clause = permit(columns=["record_id", "occurred_at", "offence_code"], smallest_group=3)
    signed = [agreement([clause])]
    by_day = Extract(held, signed, ask(columns=("record_id", "occurred_on"))).rows
    by_kind = Extract(held, signed, ask(columns=("record_id", "offence_code"))).rows
    assert len(by_day) == len(by_kind) == 9
    side_by_side = Counter(
        (one["occurred_on"], other["offence_code"])
        for one, other in zip(by_day, by_kind, strict=True)
    )
    kinds = {row["record_id"]: row["offence_code"] for row in by_kind}
    joined = Counter((row["occurred_on"], kinds.get(row["record_id"])) for row in by_day)
    assert min(side_by_side.values()) >= 3
    assert min(joined.values()) >= 3


def test_a_record_told_more_coarsely_has_another_name_in_each_request() -> None:
    """One name would add up what two requests say of it, once its group is another one."""
    held = rows(*({"occurred_at": dt.datetime(2026, 5, day)} for day in (4, 13, 25)))
    signed = [agreement([permit(smallest_group=3)])]
    whole = Extract(held, signed, ask()).rows
    by_kind = Extract(held, signed, ask(offences=("0501",))).rows
    assert len(whole) == len(by_kind) == 3
    names = [{row["record_id"] for row in extract} for extract in (whole, by_kind)]
    assert not names[0] & names[1]
    assert Extract(held, signed, ask()).rows == whole

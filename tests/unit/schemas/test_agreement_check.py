"""What is wrong with an agreement in meaning: each mistake raises its code, and only that.

Not here: the form of the file (`test_agreement.py`).
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from schemas.agreement import AGREEMENTS_FOLDER, Agreement
from schemas.agreement_check import problems
from schemas.lines import line_of
from schemas.text import LANGUAGES

DAY = dt.date(2026, 11, 22)
SHIPPED = AGREEMENTS_FOLDER / "caf_minusca.yaml"
RAW = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
RECORDS, BACK, COUNTS = 0, 2, 4  # clauses P1, P3 (to a security force) and P5

BOTH = ["caf_police", "caf_gendarmerie"]

Edit = Callable[[dict[str, Any]], None]


def changed(edit: Edit) -> Agreement:
    raw = copy.deepcopy(RAW)
    edit(raw)
    return Agreement.model_validate(raw)


def permit(position: int, **values: Any) -> Edit:
    """An edit of one permit: values to set; None takes the key out; `a__b` is a key below a key."""

    def edit(raw: dict[str, Any]) -> None:
        for path, value in values.items():
            *above, key = path.split("__")
            place = raw["permits"][position]
            for step in above:
                place = place.setdefault(step, {})
            if value is None:
                place.pop(key)
            else:
                place[key] = value

    return edit


def top(**values: Any) -> Edit:
    return lambda raw: raw.update(values)


def restriction(**values: Any) -> Edit:
    return lambda raw: raw["restrictions"][0].update(values)


def standing(**values: Any) -> Edit:
    return lambda raw: raw["standing"][0].update(values)


def twice(part: str) -> Edit:
    return lambda raw: raw[part].append(copy.deepcopy(raw[part][0]))


def more_columns(*names: str) -> Edit:
    return lambda raw: raw["permits"][RECORDS]["columns"].extend(names)


ERRORS: list[tuple[str, Edit]] = [
    ("AGR-201", top(parties=["caf_police", "caf_gendarmerie", "minusca_unpol", "minusca_unpoll"])),
    ("AGR-201", permit(RECORDS, recipients=["nobody"])),
    ("AGR-201", permit(RECORDS, recipients=["all"])),
    ("AGR-201", restriction(recipients=["nobody"])),
    ("AGR-201", standing(recipient="nobody")),
    ("AGR-202", permit(RECORDS, purposes=["curiosity"])),
    ("AGR-203", permit(RECORDS, table="incident")),
    ("AGR-203", permit(RECORDS, table="deliveries")),
    ("AGR-204", permit(RECORDS, providers=["caf_polise"])),
    ("AGR-205", more_columns("victim_name")),
    ("AGR-205", more_columns("position")),  # an input: no table ever holds it
    ("AGR-205", restriction(columns=["victim_name"])),
    ("AGR-206", permit(RECORDS, rows__countries=["XXX"])),
    ("AGR-206", permit(RECORDS, rows__areas=["ZZ1"])),
    ("AGR-206", permit(RECORDS, rows__offences=["99"])),
    ("AGR-206", permit(RECORDS, rows__except_offences=["99"])),
    ("AGR-206", permit(RECORDS, rows__border_points=["NOWHERE"])),
    ("AGR-207", permit(COUNTS, dimensions=["country", "hour"])),
    ("AGR-207", permit(COUNTS, dimensions=["country", "occurred_at"])),
    ("AGR-207", permit(COUNTS, dimensions=["country", "victims_total"])),
    ("AGR-207", permit(COUNTS, dimensions=["country", "record_id"])),
    ("AGR-208", permit(COUNTS, measures=["source_row"])),
    ("AGR-208", permit(COUNTS, measures=["offence_code"])),
    ("AGR-208", permit(COUNTS, measures=["latitude_deg"])),
    ("AGR-209", twice("permits")),
    ("AGR-209", twice("restrictions")),
    ("AGR-209", twice("standing")),
    ("AGR-210", permit(RECORDS, providers=["cod_pnc"])),
    ("AGR-210", top(parties=["caf_police", "minusca_unpol"])),
    ("AGR-210", restriction(providers=["cod_pnc"])),
    ("AGR-301", permit(COUNTS, small_cell_threshold=None)),
    ("AGR-302", permit(RECORDS, smallest_group=None)),
    ("AGR-303", permit(BACK, due_diligence=None)),
    ("AGR-304", permit(RECORDS, columns=[])),
    ("AGR-305", permit(RECORDS, measures=["records"])),
    ("AGR-305", permit(COUNTS, columns=["record_id"])),
    ("AGR-306", permit(COUNTS, measures=[])),
    ("AGR-306", permit(COUNTS, dimensions=[])),
    ("AGR-307", permit(COUNTS, dimensions=["country", "week"])),
    ("AGR-307", permit(COUNTS, dimensions=["admin2_code"])),
    ("AGR-310", more_columns("victims_children")),
    ("AGR-310", permit(COUNTS, measures=["victims_children"])),
    ("AGR-313", restriction(providers=BOTH, recipients=["all"], rows={})),
    ("AGR-313", restriction(providers=BOTH, recipients=["all"], rows={}, columns=["occurred_at"])),
    ("AGR-401", top(valid_from=dt.date(2040, 1, 1))),
    ("AGR-401", permit(RECORDS, rows__until=dt.date(2025, 1, 1))),
    ("AGR-401", permit(BACK, due_diligence__valid_until=dt.date(2025, 1, 1))),
]


@pytest.mark.parametrize(("code", "edit"), ERRORS)
def test_each_error_is_found_and_alone(code: str, edit: Edit) -> None:
    agreement = changed(edit)
    assert {one.code for one in problems(agreement) if one.level == "error"} == {code}


SECOND_LOOKS: list[tuple[str, str, Edit]] = [
    ("AGR-308", "warning", more_columns("latitude_deg")),
    ("AGR-309", "warning", permit(COUNTS, small_cell_threshold=2)),
    ("AGR-309", "warning", permit(BACK, smallest_group=1)),
    ("AGR-311", "warning", permit(RECORDS, rows__sensitive=True)),
    ("AGR-312", "warning", permit(RECORDS, onward={"allowed": True, "consent": "not_needed"})),
    ("AGR-402", "warning", top(valid_until=dt.date(2026, 11, 21))),
    ("AGR-403", "warning", permit(BACK, due_diligence__valid_until=dt.date(2026, 11, 21))),
    ("AGR-404", "note", top(valid_from=dt.date(2026, 11, 23))),
    ("AGR-405", "note", top(valid_until=DAY)),
    ("AGR-501", "warning", more_columns("offence_text")),
    ("AGR-501", "warning", more_columns("source_record_id")),
    ("AGR-505", "warning", permit(RECORDS, recipients=["minusca_unpol", "iom"])),
    ("AGR-506", "warning", standing(purpose="public_information")),
    ("AGR-506", "warning", standing(columns=["latitude_deg"])),
    (
        "AGR-507",
        "note",
        permit(
            BACK,
            columns=[
                *("admin1_code", "occurred_at", "offence_code", "victims_total"),
                *("victims_female", "victims_male", "killed_total"),
            ],
        ),
    ),
]


@pytest.mark.parametrize(("code", "level", "edit"), SECOND_LOOKS)
def test_what_deserves_a_second_look_is_said(code: str, level: str, edit: Edit) -> None:
    agreement = changed(edit)
    found = [one for one in problems(agreement, as_of=DAY) if one.code == code]
    assert found
    assert all(one.level == level for one in found)
    assert [one for one in problems(agreement) if one.level == "error"] == []


def test_a_token_that_is_opened_is_an_error_below_its_marking_and_a_warning_above() -> None:
    path = AGREEMENTS_FOLDER / "border_three_countries.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    raw["permits"][1]["columns"].append("document_token")
    codes = {one.code for one in problems(Agreement.model_validate(raw))}
    assert {"AGR-310", "AGR-502"} <= codes
    raw["permits"][1]["rows"]["handling_ceiling"] = "STRICTLY_CONFIDENTIAL"
    codes = {one.code for one in problems(Agreement.model_validate(raw))}
    assert "AGR-502" in codes
    assert "AGR-310" not in codes


def test_what_goes_with_a_masked_column_and_what_stays_beside_it_is_said() -> None:
    agreement = changed(restriction(columns=["occurred_at"]))
    (found,) = [one for one in problems(agreement) if one.code == "AGR-509"]
    assert {"occurred_on", "occurred_until", "reported_at"} <= set(found.values["masked"])
    assert "offence_code" in found.values["open"]
    assert not {*found.values["masked"], "occurred_at"} & set(found.values["open"])
    for language in LANGUAGES:
        assert "reported_at" in found.text(language)


def test_what_is_masked_for_some_of_the_rows_may_be_opened() -> None:
    whole = {"providers": BOTH, "recipients": ["all"]}
    agreement = changed(restriction(**whole, rows={"countries": ["CAF"]}))
    assert [one for one in problems(agreement) if one.level == "error"] == []


def test_a_restriction_elsewhere_is_noted_too() -> None:
    agreement, other = changed(top()), changed(top(agreement="other", permits=[], standing=[]))
    alone = {(one.code, one.text("en")) for one in problems(agreement)}
    beside = {(one.code, one.text("en")) for one in problems(agreement, others=[other])}
    assert {code for code, _text in beside - alone} == {"AGR-503", "AGR-504"}
    assert all("other/R" in text for _code, text in beside - alone)


def test_a_standing_extract_has_a_name_of_its_own_everywhere() -> None:
    other = changed(top(agreement="other"))
    found = [one for one in problems(changed(top()), others=[other]) if one.level == "error"]
    assert [one.code for one in found] == ["AGR-211"]
    assert "other" in found[0].text("fr")


def test_own_data_may_stand_alone() -> None:
    """P4 gives the mission what it observed itself: no group protects anybody there."""
    own = changed(permit(3, smallest_group=1))
    assert not [one for one in problems(own) if "P4" in one.where and one.code == "AGR-309"]


def test_the_nearest_name_is_suggested() -> None:
    [found] = problems(changed(permit(RECORDS, purposes=["joint_planing"])))[:1]
    assert "joint_planning" in found.text("en")


def test_every_problem_leads_to_its_line_and_speaks_both_languages() -> None:
    for _code, edit in ERRORS:
        for one in problems(changed(edit), as_of=DAY):
            assert one.where.startswith("caf_minusca")
            assert all(one.text(language) for language in LANGUAGES)
            assert "{" not in one.text("fr")
            assert line_of(SHIPPED, one.loc) >= 1
    [review] = [
        one for one in problems(changed(top()), as_of=DAY) if one.loc[:2] == ("permits", 2)
    ][:1]
    line = SHIPPED.read_text(encoding="utf-8").splitlines()[line_of(SHIPPED, review.loc) - 1]
    assert "due_diligence:" in line

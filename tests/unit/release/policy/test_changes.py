"""Two versions compared: each change goes the way it must, there and back.

Not here: the command that shows it (`tests/unit/cli/test_agreement.py`).
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.release.policy.changes import KEYS, Change, diff, is_wider
from schemas.agreement import (
    AGREEMENTS_FOLDER,
    HANDLING_LEVELS,
    Agreement,
    Conditions,
    Permit,
    PermittedRows,
    RestrictedRows,
    Restriction,
)
from schemas.agreement_folder import load_agreements
from schemas.text import LANGUAGES
from tests.unit.release.agreeing import ANY, agreement, agreements, opened, permit, restriction

RAW = yaml.safe_load((AGREEMENTS_FOLDER / "caf_minusca.yaml").read_text(encoding="utf-8"))
BACK = {"wider": "narrower", "narrower": "wider", "changed": "changed"}
Edit = Callable[[dict[str, Any]], None]


def one(edit: Edit | None = None) -> Agreement:
    raw = copy.deepcopy(RAW)
    if edit:
        edit(raw)
    return Agreement.model_validate(raw)


def at(path: str, value: Any) -> Edit:
    """An edit: `permits.0.rows.since` set to a value; None takes it out."""

    def edit(raw: Any) -> None:
        *above, key = path.split(".")
        for step in above:
            raw = raw[int(step)] if step.isdigit() else raw.setdefault(step, {})
        if value is None:
            raw.pop(key)
        else:
            raw[key] = value

    return edit


def ways(changes: list[Change]) -> set[str]:
    """The directions, without the remark that the version is the same."""
    return {c.direction for c in changes if "version" not in c.values}


EDITS: list[tuple[str, Edit]] = [
    ("wider", at("valid_until", dt.date(2039, 1, 1))),
    ("narrower", at("valid_from", dt.date(2026, 6, 1))),
    ("changed", at("status", "in_force")),
    ("changed", at("signed_on", dt.date(2026, 1, 14))),
    ("changed", at("title", {"en": "a", "fr": "b"})),
    ("changed", at("parties", ["caf_police", "minusca_unpol"])),
    ("changed", at("standing", [])),
    ("wider", at("permits.0.providers", ["caf_police", "caf_gendarmerie", "minusca_unpol"])),
    ("wider", at("permits.0.recipients", ["minusca_unpol", "iom"])),
    ("narrower", at("permits.0.recipients", ["minusca_unpol_jma"])),
    ("narrower", at("permits.0.purposes", ["joint_planning"])),
    ("narrower", at("permits.0.columns", ["record_id"])),
    ("wider", at("permits.4.dimensions", [*RAW["permits"][4]["dimensions"], "week"])),
    ("narrower", at("permits.4.measures", ["records"])),
    ("wider", at("permits.0.rows.countries", None)),
    ("wider", at("permits.0.rows.countries", ["CAF", "COD"])),
    ("narrower", at("permits.0.rows.areas", ["CF71"])),
    ("narrower", at("permits.0.rows.offences", ["01"])),
    ("wider", at("permits.2.rows.offences", None)),
    ("narrower", at("permits.2.rows.offences", ["0101", "0201", "0401", "05", "06", "0901"])),
    ("narrower", at("permits.0.rows.except_offences", ["03"])),
    ("wider", at("permits.1.rows.except_offences", ["0301"])),
    ("narrower", at("permits.0.rows.border_points", ["CAF-COD-ZONGO"])),
    ("wider", at("permits.0.rows.since", dt.date(2025, 1, 1))),
    ("wider", at("permits.0.rows.since", None)),
    ("narrower", at("permits.0.rows.until", dt.date(2026, 12, 31))),
    ("wider", at("permits.0.rows.handling_ceiling", "STRICTLY_CONFIDENTIAL")),
    ("wider", at("permits.0.rows.sensitive", True)),
    ("wider", at("permits.0.precision.area", "admin2")),
    ("narrower", at("permits.0.precision.time", "month")),
    ("wider", at("permits.0.precision.age", "group")),
    ("wider", at("permits.0.delay_days", 0)),
    ("wider", at("permits.4.small_cell_threshold", 3)),
    ("narrower", at("permits.2.smallest_group", 5)),
    ("wider", at("permits.0.onward.allowed", True)),
    ("wider", at("permits.0.onward.consent", "not_needed")),
    ("narrower", at("permits.2.due_diligence", None)),
    ("wider", at("permits.2.due_diligence.valid_until", dt.date(2034, 9, 1))),
    ("narrower", at("permits.2.due_diligence.reviewed_on", dt.date(2026, 2, 1))),
    ("changed", at("permits.2.due_diligence.reference", "another")),
    ("changed", at("permits.0.summary", {"en": "a", "fr": "b"})),
    ("narrower", lambda raw: raw["permits"].pop(0)),
    ("wider", lambda raw: raw["restrictions"].pop(0)),
    ("wider", at("restrictions.0.providers", ["caf_police"])),
    ("wider", at("restrictions.0.recipients", ["public"])),
    ("narrower", at("restrictions.0.columns", ["perpetrator_kind", "weapon_kind"])),
    ("narrower", at("restrictions.0.columns", [])),
    ("wider", at("restrictions.1.columns", ["killed_total"])),
    ("narrower", at("restrictions.0.rows.offences", None)),
    ("wider", at("restrictions.0.rows.countries", ["CAF"])),
    ("wider", at("restrictions.0.rows.handling_at_least", "CONFIDENTIAL")),
    ("wider", at("restrictions.0.rows.only_sensitive", True)),
    ("wider", at("restrictions.0.rows.except_offences", ["0102"])),
    ("wider", at("restrictions.0.rows.since", dt.date(2026, 1, 1))),
    ("changed", at("restrictions.0.reason", {"en": "a", "fr": "b"})),
]


@pytest.mark.parametrize(("way", "edit"), EDITS)
def test_each_change_goes_its_way_and_back_the_other(way: str, edit: Edit) -> None:
    there, back = diff([one()], [one(edit)]), diff([one(edit)], [one()])
    assert ways(there) == {way}
    assert ways(back) == {BACK[way]}
    assert is_wider(there) == (way == "wider")
    for change in (*there, *back):
        for language in LANGUAGES:
            assert change.text(language)
        assert change.text("en") != change.text("fr")


@pytest.mark.parametrize(
    "edit", [at("permits.0.table", "seizures"), at("restrictions.0.table", "seizures")]
)
def test_another_table_opens_one_thing_and_closes_another(edit: Edit) -> None:
    assert ways(diff([one()], [one(edit)])) == {"wider", "narrower"}


def test_a_new_agreement_widens_and_one_that_goes_narrows() -> None:
    permits_only, all_of_it = one(at("restrictions", [])), one()
    assert ways(diff([], [permits_only])) == {"wider"}
    assert ways(diff([permits_only], [])) == {"narrower"}
    assert ways(diff([], [all_of_it])) == {"wider", "narrower"}
    only_held_back = one(lambda raw: raw.update(permits=[], standing=[]))
    assert "wider" not in ways(diff([], [only_held_back]))
    assert is_wider(diff([only_held_back], []))


def test_the_same_is_no_change_and_a_new_version_alone_is_none_either() -> None:
    shipped = load_agreements()
    assert diff(shipped, shipped) == []
    assert diff([one()], [one(at("version", "1.0.1"))]) == []


def test_a_text_that_changed_needs_another_version() -> None:
    edit = at("permits.0.delay_days", 9)
    said = [change.text("en") for change in diff([one()], [one(edit)])]
    assert "The text changed and the version is still 1.1.0" in said
    versioned = one(edit).model_copy(update={"version": "1.2.0"})
    assert len(diff([one()], [versioned])) == len(said) - 1


def test_values_are_said_by_name() -> None:
    changes = diff([one()], [one(at("permits.0.recipients", ["minusca_unpol", "iom"]))])
    said = changes[0].text("fr")
    assert "Organisation internationale pour les migrations" in said
    assert said.startswith("La liste des destinataires (recipients)")


def test_every_field_of_a_clause_is_compared() -> None:
    """A field that somebody adds to the grammar must get a place here and words in KEYS."""
    above = {"clause", "rows", "precision", "onward"}
    for model in (Permit, Restriction):
        assert set(model.model_fields) - above <= set(KEYS)
    for rows in (Conditions, PermittedRows, RestrictedRows):
        assert {f"rows.{name}" for name in rows.model_fields} <= set(KEYS)
    other = {"agreement", "version", "permits", "restrictions", "standing"}
    assert set(Agreement.model_fields) - other <= set(KEYS)


# ---- what is called narrower must not be wider: compared with what clauses say of made-up rows

AREAS, OFFENCES = ["CF71", "CF11", "SS03", "SS03-GPAA"], ["0101", "0102", "0201", "0301"]
LEVELS = list(HANDLING_LEVELS)
SOME_DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 6))
PREFIXES = ["01", "0101", "02", "03", "0301"]


def lists(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


CONDITIONS = {
    "countries": lists(["CAF", "SSD"]),
    "areas": lists(AREAS),
    "since": st.none() | SOME_DAYS,
    "until": st.none() | SOME_DAYS,
    "offences": lists(PREFIXES),
    "except_offences": lists(PREFIXES),
}
PERMITTED = st.fixed_dictionaries(
    {**CONDITIONS, "handling_ceiling": st.sampled_from(LEVELS), "sensitive": st.booleans()}
)
RESTRICTED = st.fixed_dictionaries(
    {
        **CONDITIONS,
        "handling_at_least": st.none() | st.sampled_from(LEVELS),
        "only_sensitive": st.booleans(),
    }
)
ROWS = [
    {"country": country, "area": area, "day": day, "offence": offence, "level": level, "is_s": is_s}
    for country in ("CAF", "SSD")
    for area in AREAS
    for day in (dt.date(2026, 1, 2), dt.date(2026, 1, 5))
    for offence in OFFENCES
    for level in LEVELS
    for is_s in (True, False)
]


def holds(rows: Conditions, row: dict[str, Any]) -> bool:
    return (
        (not rows.countries or row["country"] in rows.countries)
        and (not rows.areas or row["area"] in rows.areas)
        and (rows.since is None or rows.since <= row["day"])
        and (rows.until is None or row["day"] <= rows.until)
        and (not rows.offences or row["offence"].startswith(rows.offences))
        and not (rows.except_offences and row["offence"].startswith(rows.except_offences))
    )


def opens(rows: PermittedRows, row: dict[str, Any]) -> bool:
    is_below = LEVELS.index(row["level"]) <= LEVELS.index(rows.handling_ceiling)
    return holds(rows, row) and is_below and (rows.sensitive or not row["is_s"])


def holds_back(rows: RestrictedRows, row: dict[str, Any]) -> bool:
    least = LEVELS.index(rows.handling_at_least or LEVELS[0])
    is_meant = LEVELS.index(row["level"]) >= least and (row["is_s"] or not rows.only_sensitive)
    return holds(rows, row) and is_meant


@given(PERMITTED, PERMITTED)
def test_rows_that_a_permit_opens_anew_are_called_wider(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    changes = diff([agreement(permits=[permit(rows=old)])], [agreement(permits=[permit(rows=new)])])
    before, after = PermittedRows(**old), PermittedRows(**new)
    gained = [row for row in ROWS if opens(after, row) and not opens(before, row)]
    lost = [row for row in ROWS if opens(before, row) and not opens(after, row)]
    assert is_wider(changes) or not gained
    assert "narrower" in ways(changes) or not lost


@given(RESTRICTED, RESTRICTED, lists(["weapon_kind", "killed_total"]), lists(["weapon_kind"]))
def test_rows_that_a_restriction_lets_go_are_called_wider(
    old: dict[str, Any], new: dict[str, Any], hid: list[str], hides: list[str]
) -> None:
    sides = [
        agreement(restrictions=[restriction(rows=rows, columns=columns)])
        for rows, columns in ((old, hid), (new, hides))
    ]
    changes = diff([sides[0]], [sides[1]])
    before, after = (side.restrictions[0] for side in sides)
    cells = ["weapon_kind", "killed_total", "record_id"]

    def shown(one: Restriction, row: dict[str, Any], cell: str) -> bool:
        return not holds_back(one.rows, row) or bool(one.columns and cell not in one.columns)

    for row in ROWS:
        for cell in cells:
            if shown(after, row, cell) and not shown(before, row, cell):
                assert is_wider(changes)
            if shown(before, row, cell) and not shown(after, row, cell):
                assert "narrower" in ways(changes)


@given(agreements(), agreements(), ANY)
def test_a_clause_that_opens_anew_is_called_wider(
    old: Agreement, new: Agreement, asked: dict[str, Any]
) -> None:
    gained = opened([new], **asked) - opened([old], **asked)
    assert is_wider(diff([old], [new])) or not gained

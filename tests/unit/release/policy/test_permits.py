"""Who may have what on a day: nothing by default, and each thing that opens or closes it.

Not here: which rows and cells that makes (`tests/property/test_agreements.py`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas.organisation
from pipelines.core.errors import WORDS
from pipelines.release.errors import ReleaseError
from pipelines.release.policy.permits import offers, restrictions_over, who_may
from schemas.agreement import Agreement
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract, table_names
from schemas.organisation import (
    covers,
    is_security_force,
    lineage,
    organisations,
    purposes,
    sources_of,
    units,
)
from schemas.text import LANGUAGES
from tests.unit.release.agreeing import (
    ANY,
    DAY,
    DAYS,
    RECIPIENTS,
    agreement,
    agreements,
    allowed,
    opened,
    permit,
    restriction,
    review,
)

SHIPPED = load_agreements()


ASKED = {
    "recipient": "minusca_unpol",
    "table": "incidents",
    "purpose": "joint_planning",
    "form": "records",
}


def test_without_agreements_nothing_leaves() -> None:
    with pytest.raises(ReleaseError) as caught:
        who_may([], **ASKED, as_of=DAY)
    assert caught.value.code == "REL-105"


@given(ANY, st.lists(agreements(), max_size=3))
def test_an_open_clause_says_every_part_of_what_was_asked(
    asked: dict[str, Any], them: list[Agreement]
) -> None:
    for one in allowed(them, **asked).permits:
        assert one.table == asked["table"]
        assert one.form == asked["form"]
        assert asked["purpose"] in one.purposes
        assert any(named in lineage(asked["recipient"]) for named in one.recipients)
        if is_security_force(asked["recipient"]):
            assert one.due_diligence is not None
            assert one.due_diligence.reviewed_on <= asked["as_of"] <= one.due_diligence.valid_until
    for owner in allowed(them, **asked).agreements:
        assert owner.valid_from <= asked["as_of"] <= owner.valid_until


@given(ANY, st.lists(agreements(), max_size=2), agreements())
def test_another_agreement_takes_no_clause_away(
    asked: dict[str, Any], them: list[Agreement], another: Agreement
) -> None:
    assert opened(them, **asked) <= opened([*them, another], **asked)


@given(ANY, st.lists(agreements(), max_size=2), agreements(), RECIPIENTS | st.just("all"))
def test_another_restriction_opens_nothing_and_is_always_told(
    asked: dict[str, Any], them: list[Agreement], another: Agreement, whom: str
) -> None:
    closed = another.model_dump()
    closed["permits"], closed["agreement"] = [], "held_back"
    closed["restrictions"] = [restriction(recipients=[whom], table=asked["table"])]
    after = [*them, Agreement.model_validate(closed)]
    assert opened(after, **asked) == opened(them, **asked)
    told = {one.full_name for one in allowed(after, **asked).restrictions}
    if opened(them, **asked) and covers(whom, asked["recipient"]):
        assert "held_back/R1" in told


@given(agreements(), ANY)
def test_the_day_after_the_last_everything_is_closed(one: Agreement, asked: dict[str, Any]) -> None:
    after = {**asked, "as_of": one.valid_until + dt.timedelta(days=1)}
    before = {**asked, "as_of": one.valid_from - dt.timedelta(days=1)}
    assert opened([one], **after) == opened([one], **before) == set()
    assert restrictions_over([one], asked["recipient"], asked["table"]) == tuple(
        held
        for held in one.restrictions
        if held.table == asked["table"]
        and any(covers(named, asked["recipient"]) for named in held.recipients)
    )


@given(st.text(max_size=20), st.sampled_from(["recipient", "purpose", "table", "form", "columns"]))
def test_an_unknown_name_is_refused(name: str, where: str) -> None:
    known = {
        "recipient": list(organisations()),
        "purpose": list(purposes()),
        "table": table_names("data"),
        "form": ["records", "counts"],
        "columns": [column.name for column in load_contract("incidents").published],
    }
    if name in known[where]:
        return
    asked: dict[str, Any] = {**ASKED, where: [name] if where == "columns" else name}
    codes = {
        "recipient": "REL-101",
        "purpose": "REL-102",
        "table": "REL-103",
        "columns": "REL-104",
        "form": "REL-111",
    }
    with pytest.raises(ReleaseError) as caught:
        who_may(SHIPPED, **asked, as_of=DAY)
    assert caught.value.code == codes[where]
    for language in LANGUAGES:
        assert caught.value.text(language)


@pytest.mark.parametrize("column", ["position", "document_number", "clause", "RECORD_ID", ""])
def test_a_column_that_no_table_holds_is_unknown(column: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        who_may(SHIPPED, **ASKED, as_of=DAY, columns=[column])
    assert caught.value.code == "REL-104"


@pytest.mark.parametrize(
    "recipient", ["all", "ALL", "", "minusca", "Minusca_unpol", "minusca_unpol "]
)
def test_a_recipient_is_named_exactly(recipient: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        who_may(SHIPPED, **{**ASKED, "recipient": recipient}, as_of=DAY)
    assert caught.value.code == "REL-101"


def test_a_parent_covers_its_units_and_a_unit_only_itself() -> None:
    to_unit = agreement("two", permits=[permit(recipients=["minusca_unpol_jma"])])
    both = [agreement(), to_unit]
    assert opened(both, **ASKED) == {"one/P1"}
    assert opened(both, **{**ASKED, "recipient": "minusca_unpol_jma"}) == {"one/P1", "two/P1"}
    assert opened(both, **{**ASKED, "recipient": "minusca_unpol_border"}) == {"one/P1"}
    assert opened(both, **{**ASKED, "recipient": "monusco_unpol_jma"}) == set()


@given(RECIPIENTS, RECIPIENTS)
def test_covering_follows_the_tree(named: str, recipient: str) -> None:
    assert covers(named, recipient) == (recipient in units(named))
    assert covers("all", recipient)
    if covers(named, recipient) and covers(recipient, named):
        assert named == recipient
    assert set(sources_of(recipient)) <= set(sources_of(lineage(recipient)[-1]))


def test_nobody_listed_is_covered_by_nothing() -> None:
    assert not covers("all", "nobody")
    assert lineage("nobody") == units("nobody") == sources_of("nobody") == ()


@pytest.mark.parametrize(
    ("dates", "day", "is_open"),
    [
        (None, DAY, False),
        ((dt.date(2026, 1, 1), dt.date(2026, 11, 21)), DAY, False),
        ((dt.date(2026, 11, 23), dt.date(2026, 12, 31)), DAY, False),
        ((dt.date(2026, 11, 22), dt.date(2026, 11, 22)), DAY, True),
    ],
)
@pytest.mark.parametrize("recipient", ["cod_pnc", "cod_pnc_ituri"])
def test_a_security_force_needs_a_review_that_holds(
    dates: tuple[dt.date, dt.date] | None, day: dt.date, is_open: bool, recipient: str
) -> None:
    given_review = review(*dates) if dates else None
    them = [agreement(permits=[permit(recipients=["cod_pnc"], due_diligence=given_review)])]
    asked = {**ASKED, "recipient": recipient, "as_of": day}
    assert bool(opened(them, **asked)) == is_open
    if not is_open:
        with pytest.raises(ReleaseError) as caught:
            who_may(them, **asked)
        assert caught.value.case == "due_diligence"


@pytest.mark.parametrize(
    ("change", "case", "words"),
    [
        ({"as_of": dt.date(2027, 1, 1)}, "expired", "ended on 2026-12-31"),
        ({"as_of": dt.date(2025, 12, 31)}, "not_yet", "begins on 2026-01-01"),
        ({"purpose": "reporting_dpo"}, "purpose", "Joint planning"),
        ({"form": "counts"}, "form", "records"),
        ({"table": "seizures"}, "", "No clause of any agreement"),
        ({"recipient": "public"}, "", "The public"),
    ],
)
def test_the_refusal_says_what_would_help(change: dict[str, Any], case: str, words: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        who_may([agreement()], **{**ASKED, "as_of": DAY, **change})
    refusal = caught.value
    assert (refusal.code, refusal.case) == ("REL-105", case)
    assert words in refusal.text("en")
    assert refusal.text("fr") != refusal.text("en")
    assert refusal.hint("fr")


def test_words_of_a_refusal_are_in_the_language_asked() -> None:
    refusal = ReleaseError("REL-111", name="x", known=(DAY, "a", organisations()["public"].label))
    assert refusal.text("en").endswith("2026-11-22, a, The public.")
    assert refusal.text("fr").endswith("2026-11-22, a, Le public.")
    assert ReleaseError("REL-111", name="x", known="y").hint("en") == ""
    codes = {key.split()[0] for key in WORDS if key.startswith("REL-")}
    assert codes == {f"REL-{n}" for n in range(101, 127)} - {"REL-119"}, "119 was never given"


@given(RECIPIENTS, DAYS)
def test_what_is_offered_is_what_may_be_had(recipient: str, day: dt.date) -> None:
    offered = offers(SHIPPED, recipient, day)
    for one in offered:
        assert one.permits
        for purpose in purposes():
            asked = {"recipient": recipient, "table": one.table, "form": one.form, "as_of": day}
            open_now = opened(SHIPPED, **asked, purpose=purpose)
            assert bool(open_now) == (purpose in one.purposes)
            assert open_now <= {p.full_name for p in one.permits}
    pairs = {(one.table, one.form) for one in offered}
    for table in table_names("data"):
        for form in ("records", "counts"):
            if (table, form) not in pairs:
                for purpose in purposes():
                    asked = {"recipient": recipient, "table": table, "form": form, "as_of": day}
                    assert not opened(SHIPPED, **asked, purpose=purpose)


def test_nothing_is_offered_to_nobody() -> None:
    assert offers(SHIPPED, "nobody", DAY) == []
    assert offers(SHIPPED, "passerelle", DAY) == []


@pytest.mark.parametrize("recipient", ["minusca_unpol", "minusca_unpol_jma"])
def test_an_organisation_that_is_gone_receives_nothing_nor_do_its_units(
    recipient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mission that closed has a `valid_to` in the list, as every code has."""
    asked = {**ASKED, "recipient": recipient, "as_of": DAY}
    assert opened([agreement()], **asked)
    closed = dataclasses.replace(organisations()["minusca_unpol"], valid_to=DAY - dt.timedelta(1))
    listed = {**organisations(), "minusca_unpol": closed}
    monkeypatch.setattr(schemas.organisation, "organisations", lambda: listed)
    with pytest.raises(ReleaseError) as caught:
        who_may([agreement()], **asked)
    assert caught.value.case == "gone"
    assert offers([agreement()], recipient, DAY) == []
    assert opened([agreement()], **{**asked, "as_of": DAY - dt.timedelta(1)})

"""An explanation in words: complete, in both languages, and true to what the clauses say.

Not here: which clauses are open (`test_permits.py`).
"""

from __future__ import annotations

import datetime as dt
import json
from itertools import product

import pytest

from pipelines.release.errors import ReleaseError
from pipelines.release.policy.explain import Explanation, explain
from pipelines.release.policy.permits import offers
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract, table_names
from schemas.organisation import organisations
from schemas.text import LANGUAGES, Language

DAY = dt.date(2026, 11, 22)
SHIPPED = load_agreements()


def said(
    recipient: str,
    table: str,
    language: Language = "en",
    *,
    purpose: str | None = None,
    day: dt.date = DAY,
) -> Explanation:
    return explain(
        SHIPPED, recipient=recipient, table=table, purpose=purpose, as_of=day, language=language
    )


def everything(one: Explanation) -> str:
    return json.dumps(one.as_dict(), ensure_ascii=False)


@pytest.mark.parametrize("recipient", list(organisations()))
def test_everything_that_is_offered_is_explained(recipient: str) -> None:
    for table, language in product(table_names("data"), LANGUAGES):
        check_explained(recipient, table, language)


def check_explained(recipient: str, table: str, language: Language) -> None:
    one = said(recipient, table, language)
    offered = {
        p.full_name for o in offers(SHIPPED, recipient, DAY) if o.table == table for p in o.permits
    }
    assert {words.clause for words in one.permits} == offered
    assert bool(one.refusal) == (not offered)
    for words in one.permits:
        questions = [question for question, _answer in words.answers]
        assert len(set(questions)) == len(questions) >= 12
        assert all(answer for _question, answer in words.answers)
    assert "{" not in "".join(answer for words in one.permits for _q, answer in words.answers)


def test_each_column_is_opened_or_said_to_stay() -> None:
    contract = load_contract("incidents")
    one = said("minusca_unpol", "incidents", purpose="joint_planning")
    opened = {column for words in one.permits for column in words.facts["columns"]}
    stays = [what.split("; ") for what, _why in one.stays]
    kept = {label for group in stays for label in group}
    for column in contract.published:
        assert (column.name in opened) != (column.label.en in kept), column.name
    assert ("Victims under 18", "strictly confidential, and no clause opens it") in one.stays


def test_a_token_and_free_text_say_why_they_stay() -> None:
    one = said("minusca_unpol_border", "border_crossings")
    why = dict(one.stays)
    [tokens] = [what for what in why if "token" in what]
    assert "follows one person" in why[tokens]
    [text] = [what for what in why if "Place as written" in what]
    assert "may name a person" in why[text]


def test_a_restriction_is_told_with_its_reason_and_only_where_it_bites() -> None:
    one = said("minusca_unpol", "incidents", purpose="joint_planning")
    assert [words.clause for words in one.restrictions] == ["caf_minusca/R1"]
    answers = dict(one.restrictions[0].answers)
    assert answers["What is hidden"] == "the columns Suspected author"
    assert "0101 Intentional homicide" in answers["Which rows"]
    assert said("minusca_unpol", "border_flows").restrictions == ()


def test_one_purpose_leaves_the_others_as_closed() -> None:
    one = said("minusca_unpol", "incidents", purpose="joint_planning")
    assert {words.clause for words in one.permits} == {"caf_minusca/P1", "caf_minusca/P4"}
    assert "another purpose" in dict(one.stays)["caf_minusca/P5"]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (dt.date(2036, 1, 1), "ended on 2035-12-31"),
        (dt.date(2026, 1, 1), "begins on 2026-01-15"),
        (dt.date(2034, 6, 1), "human-rights review"),
    ],
)
def test_a_closed_clause_says_why(day: dt.date, words: str) -> None:
    one = said("caf_police", "incidents", day=day)
    assert one.permits == ()
    assert one.refusal
    assert words in dict(one.stays)["caf_minusca/P3"]


def test_french_is_french() -> None:
    one = said("caf_police", "incidents", "fr")
    text = everything(one)
    assert "force de sécurité" in text or "Examen des droits de l’homme" in text
    for english in ("Whose", "Which rows", "no clause", "prefecture,"):
        assert english not in text.replace("caf_minusca", "")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"recipient": "nobody", "table": "incidents"}, "REL-101"),
        ({"recipient": "public", "table": "incidents", "purpose": "curiosity"}, "REL-102"),
        ({"recipient": "public", "table": "sources"}, "REL-103"),
    ],
)
def test_what_does_not_exist_is_refused(asked: dict[str, str], code: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        explain(SHIPPED, as_of=DAY, language="en", **asked)
    assert caught.value.code == code


def test_without_agreements_it_says_that_nothing_leaves() -> None:
    one = explain([], recipient="public", table="incidents", as_of=DAY, language="en")
    assert one.refusal
    assert one.as_dict()["permits"] == []


def test_only_what_a_table_has_is_said_of_its_rows() -> None:
    """No sensitive rows where there are none; not "in Rwanda" of what Rwanda pledges."""
    [pledges] = said("rwa_permanent_mission", "capability_pledges").permits
    rows = dict(pledges.answers)["Which rows"]
    assert rows.startswith("Pledging country: Rwanda") and "sensitive" not in rows
    incidents = everything(said("minusca_unpol", "incidents"))
    assert "in Central African Republic" in incidents and "no sensitive rows" in incidents

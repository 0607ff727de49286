"""The analyst's pages: the dictionary, and a box that shows no more than an extract."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace

import duckdb
import pytest
import yaml

from pipelines.core.settings import settings_for
from pipelines.ledger.chain import entries
from pipelines.portal.pages import analyst
from pipelines.portal.sql import boxes, samples
from pipelines.portal.sql.errors import SqlError
from pipelines.release.extract import make_extract
from tests.integration.releasing import wanted
from tests.portal import make_app, signed_in

pytestmark = pytest.mark.usefixtures("day_of_the_demo")
LARGEST_PAGE = 150_000
UNIT = "minusca_unpol_jma"


@pytest.fixture(scope="module")
def browser(app):
    return signed_in(app, "analyst", organisation=UNIT)


def ask(browser, question, purpose="joint_planning"):
    return browser.submit("/sql", {"purpose": purpose, "question": question})


def cells(answer) -> list[str]:
    return re.findall(r"<td[^>]*>([^<]*)</td>", answer.text.split('id="answer"')[1])


def test_the_dictionary_works_before_anything_is_published(tmp_path):
    app = make_app(settings_for(tmp_path / "empty"))
    reader = signed_in(app, "provider")
    for address in (
        "/dictionary",
        "/dictionary/incidents",
        "/dictionary/incidents/offence_code",
        "/dictionary/lists/offences?page=99",
    ):
        answer = reader.get(address)
        assert answer.status_code == 200, address
        assert len(answer.content) < LARGEST_PAGE


def test_a_column_is_found_by_the_name_in_a_service_s_files(browser):
    found = browser.submit("/dictionary", {"q": "nature des FAITS"})
    text = found.text
    assert "FAITS" not in str(found.url)
    assert browser.get(str(found.url)).text.count("/dictionary/incidents/offence_code")
    assert 'href="/dictionary/incidents/offence_code"' in text
    assert "CAR Police" in text


def test_an_ignored_column_says_why_it_is_left_out(browser):
    found = browser.submit("/dictionary", {"q": "Identité de la victime"})
    text = browser.get(f"{found.url}&lang=fr").text
    assert "nom de personne, jamais lu" in text
    browser.get("/dictionary", params={"lang": "en"})


def test_a_misspelling_leads_on(browser):
    page = browser.submit("/dictionary", {"q": "ofence_cod"}).text
    assert '<button class="plain" name="q" value="offence_code">' in page
    text = browser.submit("/dictionary", {"q": "offence_code"}).text
    assert 'href="/dictionary/incidents/offence_code"' in text


@pytest.mark.parametrize(
    "address",
    ["/dictionary/nothing", "/dictionary/incidents/nothing", "/dictionary/lists/admin1_outlines"],
)
def test_what_is_not_declared_is_not_there(browser, address):
    assert browser.get(address).status_code == 404


def test_every_sample_that_is_offered_is_answered(settings, browser):
    open_now = boxes.opened(settings, UNIT)
    for purpose in open_now.purposes:
        for language in ("en", "fr"):
            there = boxes.relations(open_now, purpose)
            offered = samples.fitting(there, language)
            has_incidents = "incidents" in {one.table for one in there}
            first = "offences" if has_incidents else "open_offers"
            assert {one.name for one in offered} >= {first, "words"}
            for one in offered:
                page = browser.get(
                    "/sql", params={"purpose": purpose, "sample": one.name, "lang": language}
                )
                assert one.question.splitlines()[0] in page.text.replace("&#39;", "'")
                answer = ask(browser, one.question, purpose)
                assert answer.status_code == 200, (one.name, answer.text)
                assert cells(answer)
    browser.get("/sql", params={"lang": "en"})


def test_the_answer_carries_the_marking_and_stays_small(browser):
    answer = ask(browser, "SELECT a.* FROM incidents a, incidents b")
    assert answer.status_code == 200
    assert "CONFIDENTIAL" in answer.text
    assert "only the first ones are shown" in answer.text
    assert answer.text.count("<tr>") > analyst.MOST_ROWS, "as many as the page promises"
    assert f"At most {analyst.MOST_ROWS} rows are shown" in answer.text
    assert len(answer.content) < LARGEST_PAGE


def test_a_fault_is_said_beside_the_question_and_the_text_kept(browser):
    question = "SELECT *\nFROM incidants -- <b>"
    answer = ask(browser, question)
    assert answer.status_code == 422
    assert 'id="error-question"' in answer.text
    assert "Did you mean “incidents”?" in answer.text
    assert "FROM incidants -- &lt;b&gt;" in answer.text
    french = browser.submit(
        "/sql?lang=fr", {"purpose": "joint_planning", "question": "x"}, to="/sql?lang=fr"
    )
    assert "SQL-1" in french.text and "SELECT" in french.text
    browser.get("/sql", params={"lang": "en"})


@pytest.mark.parametrize("purpose", ["joint_planning", "protection_of_civilians"])
def test_the_box_holds_exactly_the_rows_of_an_extract(settings, purpose, tmp_path):
    open_now = boxes.opened(settings, UNIT)
    box = boxes._prepared(settings, open_now, purpose, ["incidents"])["incidents"]
    made = make_extract(
        settings,
        wanted(recipient=UNIT, purpose=purpose, format="parquet", as_of=open_now.as_of),
        made_by="test",
    )
    shutil.unpack_archive(made.file, tmp_path)
    [file] = tmp_path.glob("*.parquet")
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{box}' AS box (READ_ONLY)")
        columns = [r[0] for r in connection.execute("DESCRIBE box.rows").fetchall()]
        there = {r[0] for r in connection.execute(f"DESCRIBE FROM '{file}'").fetchall()}
        assert set(columns) <= there
        chosen = ", ".join(f'"{column}"' for column in columns)
        rows = connection.execute("SELECT count(*) FROM box.rows").fetchone()
        assert rows == (made.row_count,)
        for left, right in (("box.rows", f"'{file}'"), (f"'{file}'", "box.rows")):
            extra = f"SELECT {chosen} FROM {left} EXCEPT ALL SELECT {chosen} FROM {right}"
            assert connection.execute(f"SELECT count(*) FROM ({extra})").fetchone() == (0,)


def test_what_no_clause_opens_is_in_no_box(settings, browser):
    with_all = {name for offer in boxes.opened(settings, UNIT).offers for name in [offer.table]}
    assert with_all == {"incidents", "support_offers", "support_needs"}
    for table in ("border_crossings", "seizures", "deliveries", "rejections", "incidents_history"):
        assert ask(browser, f"SELECT count(*) FROM {table}").status_code == 422
    assert ask(browser, "SELECT victims_children, source_row FROM incidents").status_code == 422


def test_a_purpose_that_is_not_open_opens_nothing(settings):
    open_now = boxes.opened(settings, UNIT)
    with pytest.raises(SqlError):
        boxes.ask(settings, open_now, "FROM incidents", purpose="public_information", actor="a")


def test_an_organisation_without_a_clause_has_nothing_to_ask(settings, browser):
    stranger = signed_in(browser.app, "analyst", organisation="ucdp", name="test.stranger")
    page = stranger.get("/sql")
    assert "there is nothing to ask" in page.text
    assert "<textarea" not in page.text


def test_after_the_last_day_of_the_agreement_the_box_is_empty(settings):
    assert boxes.opened(settings, UNIT, dt.date(2040, 1, 1)).purposes == ()


def test_a_new_restriction_holds_at_once(settings, tmp_path):
    agreements = tmp_path / "agreements"
    shutil.copytree(settings.agreements, agreements)
    changed = replace(settings, agreements=agreements)
    before = boxes.ask(
        changed,
        boxes.opened(changed, UNIT),
        "SELECT count(*) FROM incidents",
        purpose="joint_planning",
        actor="a",
    )
    file = agreements / "caf_minusca.yaml"
    declared = yaml.safe_load(file.read_text(encoding="utf-8"))
    declared.setdefault("restrictions", []).append(
        {
            "clause": "R9",
            "reason": {"en": "a test", "fr": "un essai"},
            "providers": ["caf_police", "caf_gendarmerie", "minusca_unpol"],
            "recipients": ["all"],
            "table": "incidents",
        }
    )
    file.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    after = boxes.ask(
        changed,
        boxes.opened(changed, UNIT),
        "SELECT count(*) FROM incidents",
        purpose="joint_planning",
        actor="a",
    )
    assert int(before.rows[0][0]) > 0
    assert after.rows == [["0"]]


def test_each_question_is_in_the_ledger_without_its_words(settings, browser):
    ask(browser, "SELECT 'a word of the question' FROM incidents")
    entry = entries(settings, events=["sql.run"], size=1).entries[0]
    assert entry.organisation == UNIT
    assert entry.details["tables"] == ["incidents"]
    assert "word of the question" not in str(entry)


def test_boxes_are_for_this_program_alone(settings, browser):
    ask(browser, "SELECT count(*) FROM incidents")
    folder = settings.scratch / "sqlbox"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.glob("*.duckdb"))
    assert not list(folder.glob("*.part"))


def test_while_agreements_cannot_be_relied_on_nothing_is_asked(settings, tmp_path):
    (tmp_path / "broken.yaml").write_text("agreement: [", encoding="utf-8")
    app = make_app(replace(settings, agreements=tmp_path))
    page = signed_in(app, "analyst", organisation=UNIT).get("/sql")
    assert page.status_code == 503
    assert "WEB-503" in page.text

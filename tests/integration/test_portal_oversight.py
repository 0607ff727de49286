"""Oversight's pages over real entries: the ledger, agreements and their ends, who took what."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace

import duckdb
import pytest
import sqlalchemy as sa

from pipelines.accounts.oversight import concern_of
from pipelines.accounts.permissions import Reach
from pipelines.ledger.chain import append, entries
from pipelines.ledger.database import engine
from pipelines.portal.services import oversight
from pipelines.release.extract import make_extract
from schemas.agreement_folder import load_agreements
from schemas.feed import feed_names, load_feed
from tests.integration.releasing import AS_OF, home_beside, wanted
from tests.portal import make_app, signed_in

pytestmark = pytest.mark.usefixtures("day_of_the_demo")
LARGEST_PAGE = 150_000


@pytest.fixture(scope="module")
def extract(settings):
    made = make_extract(settings, wanted(), made_by="test.mission", organisation="minusca_unpol")
    append(
        settings,
        "extract.downloaded",
        actor="test.mission",
        organisation="minusca_unpol",
        subject=made.extract_id,
    )
    return made


@pytest.fixture(scope="module")
def browser(app, extract):
    return signed_in(app, "oversight")


def test_the_ledger_is_shown_newest_first_and_filtered(browser, extract):
    text = browser.get("/ledger").text
    numbers = [int(n) for n in re.findall(r'<th scope="row" class="number">(\d+)</th>', text)]
    assert numbers == sorted(numbers, reverse=True)
    only = browser.get("/ledger", params={"event": "extract.made"}).text
    assert extract.extract_id in only
    assert "<td>signed in</td>" not in only
    none = browser.submit("/ledger", {"actor": "nobody.at.all"}, to="/ledger/search")
    assert "No entry fits" in none.text and "nobody" not in str(none.url)
    assert 'value="nobody.at.all"' in none.text
    assert "No entry fits" in browser.get("/ledger", params={"until": "2020-01-01"}).text
    assert len(browser.get("/ledger").content) < LARGEST_PAGE


def test_a_filter_that_cannot_be_read_is_said_beside_it(browser):
    answer = browser.get("/ledger", params={"since": "2026-13-45", "actor": "x"})
    assert answer.status_code == 422
    assert 'id="error-since"' in answer.text
    assert 'value="2026-13-45"' in answer.text


def test_a_check_says_that_the_ledger_holds_and_is_written_down(browser):
    answer = browser.submit("/ledger")
    assert "The ledger holds" in answer.text
    assert re.search(r"<code>\d+:[0-9a-f]{64}</code>", answer.text)
    assert "ledger checked" in answer.text


def test_a_check_says_what_was_altered(demo_home, tmp_path):
    settings = home_beside(demo_home, tmp_path / "home").prepare()
    reader = signed_in(make_app(settings), "oversight")
    with engine(settings).begin() as connection:
        for (name,) in connection.execute(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(sa.text(f'DROP TRIGGER "{name}"'))
        connection.execute(sa.text("UPDATE ledger_entries SET actor = 'else' WHERE seq = 1"))
    answer = reader.submit("/ledger")
    assert "The ledger does not hold" in answer.text
    assert "Entry 1 was altered" in answer.text


def test_every_agreement_of_theirs_is_listed_and_explained_in_both_languages(settings, browser):
    listing = browser.get("/agreements").text
    whose = concern_of(Reach("minusca_unpol"))
    theirs = {one.agreement for one in whose.agreements(settings)}
    assert {"caf_minusca", "dpo_reporting", "border_three_countries"} <= theirs
    for one in load_agreements(settings.agreements):
        if one.agreement not in theirs:
            assert f'"/agreements/{one.agreement}"' not in listing
            assert browser.get(f"/agreements/{one.agreement}").status_code == 404
            continue
        assert f'href="/agreements/{one.agreement}"' in listing
        for language in ("en", "fr"):
            page = browser.get(f"/agreements/{one.agreement}", params={"lang": language})
            assert page.status_code == 200
            assert len(page.content) < LARGEST_PAGE
            for permit in one.permits:
                assert permit.clause in page.text
    browser.get("/agreements", params={"lang": "en"})
    assert browser.get("/agreements/nothing").status_code == 404


def test_what_was_taken_is_on_the_page_of_its_agreement(browser, extract):
    assert extract.extract_id in browser.get("/agreements/caf_minusca").text
    assert extract.extract_id not in browser.get("/agreements/dpo_reporting").text


def test_oversight_sees_what_concerns_its_own_organisation_and_nothing_else(app, settings, extract):
    file = settings.release_records / f"{extract.extract_id}.parquet"
    [record] = duckdb.sql(f"SELECT record_id FROM '{file}' LIMIT 1").fetchone()
    source = record.partition(":")[0]
    provider = signed_in(app, "oversight", organisation=source, name="oversight.provider")
    other = signed_in(app, "oversight", organisation="monusco_unpol", name="oversight.other")
    feeds = [name for name in feed_names() if load_feed(name).source == source]
    granted = signed_in(
        app, "oversight", organisation="monusco_unpol", name="oversight.granted", feeds=feeds
    )
    delivery = f"{feeds[0]}.0f0f0f0f0f0f"
    append(settings, "delivery.judged", actor="inbox", organisation=source, subject=delivery)
    for browser, is_theirs in ((provider, True), (other, False), (granted, True)):
        assert (extract.extract_id in browser.get("/taken").text) == is_theirs
        assert (extract.extract_id in browser.get("/ledger?event=extract.made").text) == is_theirs
        taken = browser.get("/ledger?event=extract.downloaded").text
        assert (extract.extract_id in taken) == is_theirs
        assert (browser.get("/agreements/caf_minusca").status_code == 200) == is_theirs
        held = browser.submit("/taken", {"record": record}).text.split('id="who"')[1]
        assert (extract.extract_id in held.split("<h2")[0]) == is_theirs
        judged = browser.get("/ledger?event=delivery.judged").text
        assert (delivery in judged) == is_theirs
    names = other.get("/ledger?event=user.added").text
    assert "oversight.other" in names and "oversight.provider" not in names


def test_an_entry_from_before_providers_were_named_is_found_by_its_clauses(settings):
    details = {"recipient": "minusca_unpol", "clauses": ["caf_minusca/P1"]}
    append(settings, "extract.made", actor="a", organisation="x", subject="old.1", details=details)
    for organisation, is_theirs in (("caf_police", True), ("cod_pnc", False)):
        whose = concern_of(Reach(organisation))
        found = entries(settings, subject="old.1", within=whose.entries(settings))
        assert found.total == is_theirs


@pytest.mark.parametrize(
    ("days_before_end", "state"),
    [(400, "in_force"), (60, "ends_soon"), (0, "ends_soon"), (-1, "ended")],
)
def test_an_agreement_stands_as_its_dates_say(settings, days_before_end, state):
    [one] = [a for a in load_agreements(settings.agreements) if a.agreement == "caf_minusca"]
    day = one.valid_until - dt.timedelta(days=days_before_end)
    assert oversight.status_of(one, day, {}).state == state
    assert oversight.status_of(one, one.valid_from - dt.timedelta(days=1), {}).state == "not_yet"


def test_reviews_that_end_are_named(settings):
    [one] = [a for a in load_agreements(settings.agreements) if a.agreement == "caf_minusca"]
    ends = [(p.full_name, p.due_diligence.valid_until) for p in one.permits if p.due_diligence]
    assert ends
    last = max(day for _clause, day in ends)
    assert oversight.status_of(one, last, {}).reviews == tuple(ends)


def test_agreements_that_cannot_be_relied_on_are_said_to_be_so(settings, tmp_path):
    agreements = tmp_path / "agreements"
    shutil.copytree(settings.agreements, agreements)
    (agreements / "caf_minusca.yaml").write_text("agreement: [", encoding="utf-8")
    app = make_app(replace(settings, agreements=agreements))
    page = signed_in(app, "oversight").get("/agreements")
    assert page.status_code == 200
    assert "cannot be relied on" in page.text
    assert "caf_minusca.yaml" in page.text


def test_extracts_are_found_by_recipient_clause_and_day(browser, extract):
    def shown(**filters):
        return extract.extract_id in browser.get("/taken", params=filters).text

    clause = extract.manifest.clauses[0].clause
    assert shown()
    assert shown(recipient="minusca_unpol", clause=clause, since=AS_OF, until=AS_OF)
    assert shown(clause="caf_minusca")
    assert not shown(recipient="iom")
    assert not shown(clause="caf_minus")
    assert not shown(clause="cod_monusco")
    assert not shown(since=AS_OF + dt.timedelta(days=1))


def test_who_holds_a_record_is_answered_without_its_number_in_the_address(
    settings, browser, extract
):
    file = settings.release_records / f"{extract.extract_id}.parquet"
    row = duckdb.sql(f"SELECT record_id, clause FROM '{file}' LIMIT 1").fetchone()
    assert row is not None
    answer = browser.submit("/taken", {"record": row[0]})
    assert answer.request.url.query == b""
    found = answer.text.split('id="who"')[1]
    assert extract.extract_id in found and row[1] in found
    assert "test.mission" in found
    assert "No extract holds" in browser.submit("/taken", {"record": "x:y"}).text
    assert browser.submit("/taken", {"record": " "}).status_code == 422

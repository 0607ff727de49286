"""The data specialist's pages over the demo: all deliveries, rejections, how each feed does."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from html import unescape

import duckdb
import pytest

from pipelines.core.settings import settings_for
from pipelines.lake.publish import write_catalogue
from pipelines.portal.services import feed_figures as figures
from pipelines.portal.services.deliveries import DeliveryFilter, list_deliveries
from pipelines.portal.services.scope import Scope
from schemas.contract import all_rules
from schemas.feed import feed_names, load_feed
from tests.portal import make_app, signed_in

DAGSTER = "http://dagster.example"
EVERY_FEED = Scope(tuple(feed_names()))
LARGEST_PAGE_BYTES = 150_000
POLICE = "caf_police_incidents"


@pytest.fixture(scope="module")
def settings(demo_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("specialist") / "home"
    shutil.copytree(demo_home.home, home, ignore=shutil.ignore_patterns("catalog.duckdb", "*.db*"))
    copy = settings_for(home)
    write_catalogue(copy)
    return copy


@pytest.fixture(scope="module")
def app(settings):
    return make_app(settings, dagster_url=DAGSTER)


@pytest.fixture(scope="module")
def desk(app):
    return signed_in(app, "data_specialist", feeds=feed_names())


@pytest.fixture(scope="module")
def catalogue(settings):
    with duckdb.connect(str(settings.catalogue), read_only=True) as connection:
        yield connection


def said(browser, address, **query):
    answer = browser.get(address, params=query)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < LARGEST_PAGE_BYTES
    return unescape(answer.text)


def test_every_delivery_is_listed_once_over_the_pages(settings, catalogue):
    listed, page = [], 1
    while True:
        found = list_deliveries(settings, DeliveryFilter(EVERY_FEED), page, size=7)
        listed += [one.delivery_id for one in found.lines]
        if page == found.pages:
            break
        page += 1
    expected = catalogue.execute("SELECT delivery_id FROM deliveries").fetchall()
    assert sorted(listed) == sorted(one for (one,) in expected)
    assert list_deliveries(settings, DeliveryFilter(EVERY_FEED), 10_000, size=7).page == found.pages


def test_the_list_can_be_narrowed(desk):
    assert load_feed(POLICE).title.en in said(desk, "/all-deliveries")
    narrowed = said(desk, "/all-deliveries", feed=POLICE, state="accepted")
    ids = set(re.findall(r'href="/all-deliveries/([a-z0-9_]+\.[0-9a-f]{12})"', narrowed))
    assert len(ids) == 2
    assert all(one.startswith(POLICE) for one in ids)
    assert "No delivery matches" in said(desk, "/all-deliveries", until="2001-01-01")


@pytest.mark.parametrize("name, value", [("feed", "no_feed"), ("state", "x"), ("since", "soon")])
def test_what_cannot_be_read_is_said_beside_its_field_and_kept(desk, name, value):
    answer = desk.get("/all-deliveries", params={name: value})
    assert answer.status_code == 422
    assert f'id="error-{name}"' in answer.text
    if name == "since":
        assert 'value="soon"' in answer.text


def test_a_delivery_is_shown_in_codes_and_counts(desk, settings):
    lines = list_deliveries(settings, DeliveryFilter(EVERY_FEED, POLICE)).lines
    line = next(one for one in lines if one.rows_quarantined)
    page = said(desk, f"/all-deliveries/{line.delivery_id}")
    assert line.delivery_id in page
    assert "INC-" in page
    assert "What was sent" not in page
    report = desk.get(f"/all-deliveries/{line.delivery_id}/rejections.xlsx")
    assert report.content.startswith(b"PK")


def test_rejections_are_those_of_the_catalogue(settings, catalogue):
    counted = {
        one.code: one.rows for one in figures.rule_frequencies(settings, DeliveryFilter(EVERY_FEED))
    }
    rows = catalogue.execute(
        "SELECT rule_code, count(source_row) FROM rejections GROUP BY rule_code"
    ).fetchall()
    assert {code: counted[code] for code, _rows in rows} == dict(rows)


def test_warnings_are_those_of_the_verdicts(settings):
    raised = figures.rule_frequencies(settings, DeliveryFilter(EVERY_FEED, POLICE), by_feed=True)
    warned = {one.code: one.rows for one in raised if one.severity == "warning"}
    assert warned
    assert {all_rules()[code].severity for code in warned} == {"warning"}
    assert {one.feed for one in raised} == {POLICE}


def test_the_page_of_rejections_draws_and_tabulates(desk):
    page = said(desk, "/rejections", since="2020-01-01")
    assert page.count("<svg") >= 4
    assert page.count("The same as a table") == 3
    narrowed = said(desk, "/rejections", since="2020-01-01", feed=POLICE)
    assert "BXC-" not in narrowed
    assert "INC-" in narrowed
    assert "That is silence" in said(desk, "/rejections", until="2001-01-01", since="2000-01-01")


def test_a_week_without_a_delivery_has_no_figure(settings):
    weeks = figures.weekly(settings, DeliveryFilter(EVERY_FEED, POLICE))
    assert [one.week.weekday() for one in weeks] == [0] * len(weeks)
    silent = [one for one in weeks if not one.deliveries]
    assert silent, "the demo's police send once a month"
    assert {one.share for one in silent} == {one.rows_accepted for one in silent} == {None}
    by_rule = figures.weekly_by_rule(settings, DeliveryFilter(EVERY_FEED, POLICE), ["INC-201"])
    assert [rows is None for _week, _code, rows in by_rule] == [not w.deliveries for w in weeks]


def test_a_feed_is_on_time_late_silent_or_was_never_heard_of(settings):
    found = {one.feed: one for one in figures.health(settings, EVERY_FEED)}
    assert set(found) == set(feed_names())
    assert found["ucdp_ged_incidents"].rhythm == "never"
    assert found["ucdp_ged_incidents"].share_now is None
    last, every = found[POLICE].last_received_at, load_feed(POLICE).expected_every_days
    for days, rhythm, late in (
        (every, "on_time", 0),
        (every + 1, "late", 1),
        (2 * every, "late", every),
        (2 * every + 1, "silent", every + 1),
    ):
        now = (last + dt.timedelta(days=days, hours=1)).replace(tzinfo=dt.UTC)
        [one] = figures.health(settings, Scope((POLICE,)), now)
        assert (one.rhythm, one.days_late) == (rhythm, late)


def test_the_accepted_share_is_that_of_the_rows(settings, catalogue):
    [one] = figures.health(settings, Scope((POLICE,)))
    (share,) = catalogue.execute(
        "SELECT sum(rows_accepted) / sum(rows_accepted + rows_quarantined) "
        "FROM deliveries WHERE feed = ?",
        [POLICE],
    ).fetchone()
    assert one.share_now == pytest.approx(share)


def test_each_feed_has_a_page_that_says_what_is_not_read_and_why(desk):
    overview = said(desk, "/feeds")
    for name in feed_names():
        feed = load_feed(name)
        assert feed.title.en in overview
        page = said(desk, f"/feeds/{name}")
        assert feed.title.en in page and feed.title.fr in page
        for column, why in feed.ignore.items():
            assert column in page and why.en in page
        for column in feed.mapped_columns:
            assert column in page
    assert desk.get("/feeds/no_feed").status_code == 404
    assert desk.get("/feeds/..%2f..").status_code == 404


@pytest.mark.parametrize(
    "address", ["/all-deliveries", "/rejections", "/feeds", f"/feeds/{POLICE}"]
)
def test_the_pages_speak_french_and_have_no_script(app, address):
    reader = signed_in(app, "data_specialist", name="bureau.donnees", language="fr", feeds=[POLICE])
    page = said(reader, address)
    assert '<html lang="fr">' in page
    assert "<script" not in page and "style=" not in page.replace("font-style=", "")


def test_a_specialist_finds_what_is_of_the_own_organisation_and_nothing_else(app, settings):
    own = signed_in(app, "data_specialist", name="desk.minusca")
    foreign = list_deliveries(settings, DeliveryFilter(EVERY_FEED, POLICE)).lines[0]
    page = said(own, "/all-deliveries")
    assert "minusca_unpol_incidents." in page and foreign.delivery_id not in page
    for address in (
        f"/all-deliveries/{foreign.delivery_id}",
        f"/all-deliveries/{foreign.delivery_id}/rejections.xlsx",
        f"/all-deliveries/{foreign.delivery_id}/rows",
        f"/feeds/{POLICE}",
    ):
        assert own.get(address).status_code == 404
    assert own.get("/all-deliveries", params={"feed": POLICE}).status_code == 422
    assert load_feed(POLICE).title.en not in said(own, "/feeds")
    assert "BXC-" not in said(own, "/rejections", since="2020-01-01")


def test_the_operator_sees_how_every_feed_does_and_no_delivery(app, settings):
    operator = signed_in(app, "operator")
    page = said(operator, f"/feeds/{POLICE}")
    assert f"{DAGSTER}/runs?q%5B0%5D=tag%3Afeed%3D{POLICE}" in page
    line = list_deliveries(settings, DeliveryFilter(EVERY_FEED, POLICE)).lines[0]
    assert line.delivery_id not in page and line.file_name not in page
    assert all(load_feed(name).title.en in said(operator, "/feeds") for name in feed_names())
    for address in ("/all-deliveries", f"/all-deliveries/{line.delivery_id}", "/rejections"):
        assert operator.get(address).status_code == 404
    assert "Operator of the installation" in said(operator, "/")


def test_a_provider_finds_none_of_these_pages(app, settings):
    provider = signed_in(app, "provider")
    first = list_deliveries(settings, DeliveryFilter(EVERY_FEED)).lines[0].delivery_id
    for address in ("/all-deliveries", f"/all-deliveries/{first}", "/rejections", "/feeds"):
        assert provider.get(address).status_code == 404


def test_before_anything_came_the_pages_say_so(tmp_path):
    empty = make_app(settings_for(tmp_path))
    desk = signed_in(empty, "data_specialist", feeds=[POLICE])
    assert "Nothing came in yet." in said(desk, "/all-deliveries")
    assert "That is silence" in said(desk, "/rejections")
    assert "nothing yet" in said(desk, "/feeds")
    assert "That is silence" in said(desk, f"/feeds/{POLICE}")

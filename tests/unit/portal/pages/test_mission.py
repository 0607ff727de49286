"""One form, one submission: what was pressed is what is looked at, and its address keeps it all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from pipelines.ledger.chain import entries
from pipelines.portal.services import previews
from pipelines.portal.services.previews import PreviewPage
from pipelines.release.errors import ReleaseError
from pipelines.release.request import Request as Asked
from tests.portal import Browser, signed_in

TABLE = "/tables/incidents"
CHOICE: dict[str, Any] = {
    "way": "records:joint_planning",
    "shown_form": "records",
    "shown_purpose": "joint_planning",
    "since": "2026-06-01",
    "until": "2026-10-31",
    "areas": ["CF11", "CF22"],
    "columns": ["record_id", "source", "occurred_on", "offence_code"],
    "format": "csv",
    "language": "fr",
}
FIGURE = "of this, the figures"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """Each request that was looked at; the tables themselves are empty here."""
    asked: list[Asked] = []

    def look(_settings: Any, request: Asked, _language: str, _limit: int) -> PreviewPage:
        asked.append(request)
        return PreviewPage(row_count=7, said=(FIGURE,), clauses=("x/P1",))

    monkeypatch.setattr(previews, "show_preview", look)
    yield asked


@pytest.fixture(scope="module")
def browser(app: FastAPI) -> Browser:
    return signed_in(app, "mission_staff", organisation="minusca_unpol_jma", name="unit.jma")


@pytest.fixture(scope="module")
def border(app: FastAPI) -> Browser:
    """Somebody whose two purposes open different columns."""
    return signed_in(app, "mission_staff", organisation="unmiss_unpol_jma", name="unit.ss")


def press(browser: Browser, do: str = "look", **change: Any) -> httpx.Response:
    data = {**CHOICE, "do": do, **change}
    return browser.submit(TABLE, data, follow_redirects=False)


def events(app: FastAPI) -> list[dict[str, Any]]:
    found = entries(app.state.settings, events=["extract.previewed"], size=100).entries
    return [one.details for one in found]


def ticked(page: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}" value="([^"]+)" checked', page)


def test_what_is_pressed_is_looked_at_for_the_purpose_on_the_form_and_written_down(
    app: FastAPI, browser: Browser, looks: list[Asked]
) -> None:
    before = len(events(app))
    answer = press(browser, way="records:protection_of_civilians")
    assert answer.status_code == 303
    shown = browser.get(answer.headers["location"])
    assert FIGURE in shown.text and "Protection of civilians" in shown.text
    [asked] = looks
    assert asked.purpose == "protection_of_civilians"
    assert (asked.since.isoformat(), sorted(asked.areas)) == ("2026-06-01", ["CF11", "CF22"])
    assert events(app)[0] == {"purpose": "protection_of_civilians", "form": "records"}
    assert len(events(app)) == before + 1
    # And the file that is asked for from there is asked for the same.
    action = re.search(r'action="(/tables/[^"]+/extract)"', shown.text)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text)
    assert action and ("purpose", "protection_of_civilians") in hidden
    fields: dict[str, list[str]] = {}
    for name, value in hidden:
        if name != "csrf":
            fields.setdefault(name, []).append(value)
    assert fields["areas"] == ["CF11", "CF22"] and fields["since"] == ["2026-06-01"]


def test_the_address_holds_the_whole_choice_and_nothing_that_was_typed(
    browser: Browser, looks: list[Asked]
) -> None:
    address = urlsplit(press(browser).headers["location"])
    said = parse_qs(address.query)
    assert said.pop("look") and address.path == TABLE
    assert said == {
        "form": ["records"],
        "purpose": ["joint_planning"],
        "since": ["2026-06-01"],
        "until": ["2026-10-31"],
        "areas": ["CF11", "CF22"],
        "columns": CHOICE["columns"],
        "format": ["csv"],
        "language": ["fr"],
    }
    bad = press(browser, since="a name that somebody typed")
    assert bad.status_code == 422 and "a name that somebody typed" in bad.text
    assert press(browser, areas=["SS01'--"]).status_code == 422


def test_reload_back_and_another_language_keep_figures_in_the_session(
    app: FastAPI, browser: Browser, looks: list[Asked]
) -> None:
    address, before = press(browser).headers["location"], len(events(app))
    first, again = browser.get(address), browser.get(address)
    assert FIGURE in first.text and FIGURE in again.text
    french = browser.get(f"{address}&lang=fr")
    browser.get("/tables?lang=en")
    assert FIGURE in french.text and '<html lang="fr">' in french.text
    links = re.findall(r'href="([^"]+lang=fr)"', first.text)
    assert any("look=" in one and "since=2026-06-01" in one for one in links)
    assert looks[0] == looks[1] == looks[2]
    assert len(events(app)) == before, "the same look is not written down again"


def test_the_address_alone_fills_in_the_form_and_shows_no_figure(
    app: FastAPI, browser: Browser, looks: list[Asked]
) -> None:
    address = press(browser).headers["location"]
    other = signed_in(app, "mission_staff", organisation="minusca_unpol_jma", name="unit.two")
    once_more = signed_in(app, "mission_staff", organisation="minusca_unpol_jma", name="unit.jma")
    without = re.sub(r"&look=\w+", "", address)
    openings = [
        (other, address, {}),
        (once_more, address, {}),  # another session of the same person
        (browser, without, {}),
        (browser, address.replace("2026-06-01", "2026-05-01"), {}),
        (browser, address.replace("joint_planning", "protection_of_civilians"), {}),
        (browser, address, {"sec-fetch-site": "none"}),  # a bookmark
        (browser, address, {"sec-fetch-site": "cross-site"}),
        (browser, address, {"sec-purpose": "prefetch;prerender"}),
        (browser, address, {"purpose": "prefetch"}),
    ]
    for who, where, headers in openings:
        page = who.get(where, headers=headers)
        assert page.status_code == 200 and FIGURE not in page.text, (where, headers)
        assert sorted(ticked(page.text, "areas")) == ["CF11", "CF22"], (where, headers)
        assert 'value="2026-10-31"' in page.text and "csv" in page.text
        assert "Look at it first" in page.text
    assert looks == []


def test_figures_are_looked_at_anew_once_the_agreements_or_tables_are_others(
    app: FastAPI, browser: Browser, looks: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = press(browser).headers["location"]
    monkeypatch.setattr(previews, "stamp", lambda _settings: "another catalogue")
    page = browser.get(address)
    assert FIGURE not in page.text and looks == []
    assert "holds a choice and no figures" in page.text


def test_the_lists_are_updated_and_nothing_is_lost(browser: Browser, looks: list[Asked]) -> None:
    answer = press(browser, do="menu", way="counts:quality_improvement")
    page = browser.get(answer.headers["location"])
    assert 'value="counts:quality_improvement" selected' in page.text
    assert sorted(ticked(page.text, "areas")) == ["CF11", "CF22"]
    assert ticked(page.text, "dimensions") and 'value="2026-06-01"' in page.text
    again = browser.post(
        TABLE,
        data={**CHOICE, "csrf": csrf(page.text), "shown_form": "counts", "do": "menu"},
    )
    assert sorted(ticked(again.text, "areas")) == ["CF11", "CF22"]
    assert looks == []


def csrf(text: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found
    return unescape(found[1])


def test_records_are_not_looked_at_as_counts_without_a_word(
    browser: Browser, looks: list[Asked]
) -> None:
    answer = press(browser, way="counts:quality_improvement")
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200 and looks == []
    assert "Records and counts are chosen differently" in page.text


def test_what_another_purpose_does_not_open_is_said(
    app: FastAPI, looks: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns are left out, which tells less; areas are chosen anew: none would mean all."""
    from pipelines.portal.services import menus

    real = menus.Menu.columns
    kept_areas = menus.Menu.areas

    def columns(self: Any) -> Any:
        is_less = self.purpose == "protection_of_civilians"
        return [one for one in real(self) if not (is_less and one[0] == "offence_code")]

    def areas(self: Any) -> Any:
        found = kept_areas(self)
        is_less = self.purpose == "protection_of_civilians"
        return [(c, [a for a in found_ if not (is_less and a[0] == "CF11")]) for c, found_ in found]

    monkeypatch.setattr(menus.Menu, "columns", columns)
    monkeypatch.setattr(menus.Menu, "areas", areas)
    browser = signed_in(app, "mission_staff", organisation="minusca_unpol_jma", name="unit.less")
    other = {"way": "records:protection_of_civilians"}
    page = browser.get(press(browser, areas=["CF22"], **other).headers["location"])
    assert FIGURE in page.text and "left out: Offence" in page.text
    assert looks[0].columns == tuple(CHOICE["columns"][:3])
    page = browser.get(press(browser, **other).headers["location"])
    assert page.status_code == 422 and len(looks) == 1
    assert "Not open for this purpose: " in page.text
    assert ticked(page.text, "areas") == ["CF22"]


def test_a_list_left_empty_is_said_and_not_filled(browser: Browser, looks: list[Asked]) -> None:
    answer = press(browser, columns=[])
    assert answer.status_code == 422 and "at least one" in answer.text
    assert looks == []


def test_a_change_of_language_sends_what_stands_in_the_form(
    browser: Browser, looks: list[Asked]
) -> None:
    page = browser.get(TABLE).text
    assert 'form="choice" formnovalidate' in page
    answer = press(browser, do="", lang="fr")
    french = browser.get(answer.headers["location"])
    browser.get("/tables?lang=en")
    assert '<html lang="fr">' in french.text and sorted(ticked(french.text, "areas")) == [
        "CF11",
        "CF22",
    ]
    assert looks == []


def test_the_browser_may_keep_the_menu_for_its_back_button_and_no_figures(
    browser: Browser, looks: list[Asked]
) -> None:
    menu_page = browser.get(TABLE)
    assert menu_page.headers["cache-control"] == "private, no-cache"
    assert not re.search(r'type="date"[^>]*autocomplete', menu_page.text)
    assert browser.get(press(browser).headers["location"]).headers["cache-control"] == "no-store"


def test_a_purpose_of_an_address_that_is_not_open_is_not_exchanged_silently(
    browser: Browser, looks: list[Asked]
) -> None:
    page = browser.get(f"{TABLE}?form=records&purpose=reporting_dpo")
    assert page.status_code == 422 and "error-way" in page.text


def test_a_refusal_is_said_above_the_form_as_it_was_filled_in(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that no earlier extract is the cause of, too: it has nothing in the way to show."""

    def refuse(*_arguments: Any) -> PreviewPage:
        raise ReleaseError("REL-107", k=5)

    monkeypatch.setattr(previews, "show_preview", refuse)
    page = browser.get(press(browser).headers["location"])
    assert page.status_code == 422 and "REL-107" in page.text
    assert sorted(ticked(page.text, "areas")) == ["CF11", "CF22"]

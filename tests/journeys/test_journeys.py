"""Each person's way through the portal in a real browser, end to end, in both languages.

Not here: permissions, bad input and faults of the pages one by one: those stand
in tests/integration/test_portal_*.
"""

from __future__ import annotations

import itertools

import openpyxl
import pytest

from pipelines.accounts.people import find_user
from pipelines.accounts.sessions import close_all_sessions
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from tests.journeys import walks
from tests.journeys.browsing import sign_in, visitor
from tests.journeys.holding import held, held_without_scripts, on_paper
from tests.portal import PASSWORD

LANGUAGES = ("en", "fr")
NUMBERS = itertools.count()


@pytest.fixture
def walker(place, browser, tmp_path):
    """Somebody with a window of their own."""

    def open_window(who, language, look=held, **options):
        name = place.person(who, language, next(NUMBERS))
        options |= {"language": language, "folder": tmp_path}
        return visitor(place, browser, name, look, **options)

    return open_window


@pytest.fixture
def number(request):
    """Another number for each delivery, so that none was sent before."""
    return sum(map(ord, request.node.name)) % 900


@pytest.mark.parametrize("language", LANGUAGES)
def test_mission_staff_get_a_file_that_proves_itself(walker, place, language):
    with walker("mission", language) as one:
        file = walks.mission(one)
        key = public_key_path(place.settings)
        assert verify(file, key).manifest.recipient.code == "minusca_unpol"
        walks.counts(one)
        on_paper(one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_provider_sees_what_is_wrong_and_mends_it(walker, language, number):
    with walker("provider", language) as one:
        book = openpyxl.load_workbook(walks.provider(one, number))
        cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
        assert walks.BAD_ROWS in cells


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["specialist", "analyst", "oversight"])
def test_the_others_find_what_they_look_for(walker, who, language):
    with walker(who, language) as one:
        walks.WALKS[who](one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_mission_staff_need_no_mouse(walker, language):
    with walker("mission", language, _nothing, with_keys=True) as one:
        walks.mission(one)
        assert one.troubles == []


def test_the_keys_skip_the_menu(walker):
    with walker("specialist", "en", _nothing) as one:
        sign_in(one)
        one.page.keyboard.press("Tab")
        one.page.keyboard.press("Enter")
        assert one.page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("who", list(walks.WALKS))
def test_no_script_is_needed(walker, who, number):
    with walker(who, "fr", held_without_scripts, java_script_enabled=False) as one:
        walks.WALKS[who](one, number) if who == "provider" else walks.WALKS[who](one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_off_the_way_are_pages_too(walker, language):
    with walker("mission", language) as one:
        sign_in(one)
        for path in ("/nothing", "/account", "/account/tokens", "/account/second-factor"):
            one.go(path)
            one.at(path)


def test_back_reload_and_a_second_window_keep_the_choice(walker):
    """With the address under which the form stood before anything was chosen, too."""
    with walker("mission", "en") as one:
        sign_in(one, "/tables")
        one.press('main a[href^="/tables/incidents"][href*="joint_planning"]')
        chosen = {"way": "records:protection_of_civilians", "format": "csv"}
        chosen |= {"since": "2026-06-01", "until": "2026-09-30", "areas": "CF11"}
        for name in ("way", "format"):
            one.page.select_option(f"[name={name}]", chosen[name])
        for name in ("since", "until"):
            one.page.fill(f"#field-{name}", chosen[name])
        one.page.check("input[name=areas][value=CF11]")
        one.press("form#choice button.main")
        looked = one.page.url
        assert one.page.locator("dl.figures").count() == 1, "for the purpose that was pressed"
        assert "Protection of civilians" in one.text()
        one.page.reload()
        assert one.page.locator("dl.figures").count() == 1
        one.page.go_back()
        assert in_form(one.page) == chosen
        one.page.go_forward()
        assert one.page.locator("dl.figures").count() == 1
        second = one.page.context.new_page()
        second.goto(looked)  # typed in, as from a bookmark: the form, and no figure
        assert in_form(second) == chosen
        assert second.locator("dl.figures").count() == 0
        second.click("nav.tongues button[lang=fr]")
        assert second.get_attribute("html", "lang") == "fr" and in_form(second) == chosen


def in_form(page):
    """What stands in the form of a choice."""
    found = {name: page.input_value(f"[name={name}]") for name in ("way", "format")}
    found |= {name: page.input_value(f"#field-{name}") for name in ("since", "until")}
    return found | {"areas": page.locator("input[name=areas]:checked").input_value()}


def test_a_form_that_is_sent_after_the_session_ended_comes_back(walker, place):
    with walker("analyst", "fr") as one:
        sign_in(one, "/sql")
        one.type("#field-question", "SELECT 'an hour of work'")
        close_all_sessions(place.settings, find_user(place.settings, one.name).id)
        one.press("form#question button.main")
        one.at("sign-in-in-place")
        one.type("#field-name", one.name)
        one.type("#field-password", PASSWORD)
        one.press("main form button")
        assert one.page.input_value("#field-question") == "SELECT 'an hour of work'"
        assert "hour" not in one.page.url
        one.at("came-back")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_password_and_a_lock_are_said(walker, language):
    with walker("analyst", language) as one:
        for _try in range(6):
            one.go(f"/sign-in?lang={language}")
            one.type("#field-name", one.name)
            one.type("#field-password", "not " + PASSWORD)
            one.press("main form button")
            assert one.page.locator('.notice[role="alert"]').count() == 1
        one.at("locked")


def _nothing(one, name):
    """The page was looked at on another way."""

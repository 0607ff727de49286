"""The question about an older file or a correction, as it is asked and answered in the portal."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from pipelines.core.settings import settings_for
from pipelines.jobs.worker import run_next
from pipelines.lake.judged_deliveries import find_judged_delivery
from pipelines.lake.publish import publish
from pipelines.lake.questions import FILE_NAME, read_question
from pipelines.landing.answers import read_answer
from pipelines.ledger.chain import entries
from tests.portal import Browser, csrf_of, make_app, signed_in
from tests.unit.lake.judged import FEED, deliver, row

LATER, ASKED = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
PAGE = f"/deliveries/{FEED}.{ASKED}"
DESK = f"/all-deliveries/{FEED}.{ASKED}"
# The pages of a delivery speak the language of its feed, unless the reader chose one.
QUESTION = "Est-ce un fichier plus ancien arrivé en retard, ou un rectificatif"


@pytest.fixture
def place(tmp_path):
    settings = settings_for(tmp_path / "home", memory_limit="256MB", threads=1).prepare()
    later = [row("1", "B"), row("2", "A", is_withdrawn=True)]
    deliver(settings, LATER, later, day=20, as_of=dt.date(2026, 1, 10), kind="register")
    asked = [row("1", "A"), row("2", "A"), row("3", "A")]
    deliver(settings, ASKED, asked, day=30, as_of=dt.date(2026, 1, 5))
    publish(settings)
    return settings


def answered(browser: Browser, kind: str, page: str = PAGE) -> int:
    secret = csrf_of(browser.get("/account").text)
    form = {"csrf": secret, "kind": kind}
    return browser.post(f"{page}/answer", data=form, follow_redirects=False).status_code


def test_who_sent_the_file_is_asked_with_evidence_and_answers_once(place):
    app = make_app(place)
    browser = signed_in(app, "provider", organisation="caf_gendarmerie", language="en")
    assert "held in part" in browser.get("/deliveries?state=held").text
    shown = browser.get(PAGE).text
    assert QUESTION in shown
    assert "L’une d’elles y a été retirée." in shown
    assert re.search(r"Lignes retenues\s: 2", shown)
    assert answered(browser, "neither") == 303
    assert read_answer(find_judged_delivery(place, f"{FEED}.{ASKED}").folder) is None
    assert answered(browser, "register") == 303
    answer = read_answer(find_judged_delivery(place, f"{FEED}.{ASKED}").folder)
    assert (answer.kind, answer.answered_by) == ("register", "test.provider")
    [noted] = [one for one in entries(place).entries if one.event == "delivery.answered"]
    assert (noted.organisation, noted.details["kind"]) == ("caf_gendarmerie", "register")
    assert run_next(place, "here")
    assert QUESTION not in browser.get(PAGE).text
    assert "Réponse donnée le" in browser.get(PAGE).text
    assert answered(browser, "correction") == 404, "nothing is asked any more"


def test_nobody_else_is_asked_and_whoever_looks_after_the_feed_after_two_days(place):
    app = make_app(place)
    other = signed_in(app, "provider", organisation="caf_police", name="other.provider")
    assert other.get(PAGE).status_code == 404
    assert answered(other, "correction") == 404
    reader = signed_in(app, "analyst", organisation="caf_gendarmerie", language="en")
    assert answered(reader, "correction") == 404
    specialist = signed_in(app, "data_specialist", organisation="caf_gendarmerie", language="en")
    shown = specialist.get(DESK).text
    assert "Is it an older file that arrived late, or a correction?" in shown
    assert "Its sender is asked first." in shown
    assert answered(specialist, "correction", DESK) == 404
    folder = find_judged_delivery(place, f"{FEED}.{ASKED}").folder
    question = read_question(folder)
    earlier = question.model_copy(update={"asked_at": question.asked_at - dt.timedelta(hours=48)})
    (folder / FILE_NAME).write_text(earlier.model_dump_json(), encoding="utf-8")
    assert answered(specialist, "correction", DESK) == 303
    assert read_answer(folder).kind == "correction"


def test_of_a_number_used_again_only_a_correction_is_asked(place):
    """A register would not say whose number it is, and the rows would stay held without a word."""
    app = make_app(place)
    browser = signed_in(app, "provider", organisation="caf_gendarmerie", language="en")
    assert re.findall(r'name="kind" value="(\w+)"', browser.get(PAGE).text) == [
        "register",
        "correction",
    ]
    folder = find_judged_delivery(place, f"{FEED}.{ASKED}").folder
    reused = read_question(folder).model_copy(update={"codes": {"INC-603": 2}})
    (folder / FILE_NAME).write_text(reused.model_dump_json(), encoding="utf-8")
    shown = browser.get(PAGE).text
    assert re.findall(r'name="kind" value="(\w+)"', shown) == ["correction"]
    assert '<button type="submit" class="button second" name="kind"' in shown

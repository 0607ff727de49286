"""Mission staff's day: see what is theirs, choose, look, ask, wait, fetch, check; and refusals.

Everything is real: the demo's tables, the shipped agreements, the ledger, the worker's own code.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import re
import shutil
import signal
import time
import zipfile
from dataclasses import replace
from html import unescape

import pytest

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.settings import settings_for
from pipelines.jobs import extract as extract_job
from pipelines.jobs import queue, worker
from pipelines.jobs.supervisor import Supervisor
from pipelines.ledger.chain import entries
from pipelines.portal.forms import blank
from pipelines.portal.services import extracts, previews
from pipelines.portal.services.menus import menu, request_of
from pipelines.release.errors import ReleaseError
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from tests.integration.releasing import AS_OF
from tests.portal import account, make_app, signed_in

pytestmark = pytest.mark.usefixtures("day_of_the_demo")
AFTER_ALL_AGREEMENTS = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
LARGEST_PAGE = 150_000
CHOICE = {
    "table": "incidents",
    "form": "records",
    "purpose": "joint_planning",
    "columns": ["record_id", "source", "country", "admin1_code", "occurred_on", "offence_code"],
    "format": "csv",
    "language": "en",
}
COUNTS = {
    "table": "incidents",
    "form": "counts",
    "purpose": "capacity_building",
    "dimensions": ["admin1_code", "month"],
    "measures": ["records"],
    "format": "csv",
    "language": "en",
}


@pytest.fixture(scope="module")
def browser(app):
    return signed_in(app, "mission_staff")


@pytest.fixture(scope="module")
def stranger(app):
    return signed_in(app, "mission_staff", organisation="iom", name="stranger")


def _looked(browser, choice=CHOICE, **more):
    """Press “Look at it first” with this choice."""
    to = f"/tables/{choice['table']}"
    return browser.submit("/tables", {**choice, "do": "look"}, to=to, **more)


def _sent(browser, choice=CHOICE, **more):
    """Press “Ask for this file” with this choice."""
    return browser.submit("/tables", choice, to=f"/tables/{choice['table']}/extract", **more)


def _asked(browser, choice=CHOICE):
    """Look at a choice, ask for it, and let a worker make it; returns the address of its page."""
    seen = _looked(browser, choice)
    assert seen.status_code == 200, seen.text
    assert "Ask for this file" in seen.text
    answer = _sent(browser, choice, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert worker.run_next(browser.app.state.settings, "here/0")
    return answer.headers["location"]


def _words(answer):
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))


def _downloads(settings):
    return entries(settings, events=["extract.downloaded"]).total


@pytest.mark.parametrize(("language", "title"), [("en", "Incidents"), ("fr", "Incidents")])
def test_the_tables_are_those_of_the_agreements_with_their_newness_and_rows(
    browser, language, title
):
    shown = browser.get(f"/tables?lang={language}")
    browser.get("/tables?lang=en")
    text = _words(shown)
    assert title in text and "caf_minusca/P1" in text and "cod_monusco" not in text
    assert re.search(r"[1-9]\d* (records|fiches)", text)
    assert ("Until 31 Dec 2035" if language == "en" else "31 déc. 2035") in text
    assert len(shown.content) < LARGEST_PAGE


def test_an_organisation_without_an_agreement_is_told_so(app):
    nobody = signed_in(app, "mission_staff", organisation="passerelle", name="no.agreement")
    assert "gives your organisation" in _words(nobody.get("/tables"))
    assert nobody.get("/tables/incidents").status_code == 404


@pytest.mark.parametrize("address", ["/tables", "/tables/incidents", "/extracts"])
def test_an_agreement_that_cannot_be_read_closes_everything(settings, tmp_path, address):
    (tmp_path / "broken.yaml").write_text("agreement: broken\nsecret_word: 1\n", encoding="utf-8")
    app = make_app(replace(settings, agreements=tmp_path))
    answer = signed_in(app, "mission_staff", name="closed.off").get(address)
    assert answer.status_code in {200, 503}
    assert "secret_word" not in answer.text and "Traceback" not in answer.text
    if address != "/extracts":
        assert answer.status_code == 503 and "WEB-503" in answer.text


def test_menus_hold_only_what_a_clause_opens(browser):
    page = browser.get("/tables/incidents?form=records&purpose=joint_planning").text
    offered = re.findall(r'name="columns" value="([^"]+)"', page)
    assert "offence_code" in offered
    assert not {"place_text", "latitude_deg", "offence_text"} & set(offered)
    assert set(re.findall(r'name="areas" value="(\w\w)', page)) == {"CF"}
    assert "geojson" not in page
    assert browser.get("/tables/border_crossings").status_code == 404
    assert browser.get("/tables/no_such_table").status_code == 404


def test_a_preview_shows_rows_drawings_and_what_is_hidden(browser):
    seen = _looked(browser, CHOICE)
    text = _words(seen)
    assert seen.text.count('role="img"') == 3
    assert "What the agreement hides, and why" in text and "CONFIDENTIAL" in text
    assert "The first 10 of" in text and "caf_minusca/P1" in text
    assert "<style" not in seen.text and "style=" not in seen.text and "<script" not in seen.text
    assert len(seen.content) < LARGEST_PAGE


def test_a_preview_shows_nothing_that_the_extract_does_not_hold(browser, settings):
    _form, rows = _file(browser, _asked(browser))
    seen = _looked(browser, CHOICE).text
    seen = seen[seen.index("<caption>The first 10 of") :]
    body = seen[seen.index("<tbody") : seen.index("</tbody")]
    shown = [
        [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for row in body.split("</tr>")[:-1]
    ]
    held = {row["record_id"][: previews.LONGEST_WORD - 1]: row for row in rows}
    assert len(shown) == 10
    for record, source, _country, area, *_rest in shown:
        row = held[record.rstrip("…")]
        assert source == row["source_label"] and area == row["admin1_code_label"]


def _file(browser, page):
    """The name of the data file of an extract and its rows."""
    answer = browser.get(f"{page}/file")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        [name] = [one for one in archive.namelist() if one.endswith(".csv")]
        text = archive.read(name).decode("utf-8-sig")
    return name, list(csv.DictReader(io.StringIO(text)))


def test_from_asking_to_the_file_and_back(browser, settings):
    page = _asked(browser)
    shown = browser.get(page)
    assert "Download" in shown.text and "refresh" not in shown.headers
    answer = browser.get(f"{page}/file")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert re.fullmatch(
        r'attachment; filename="[\w.-]+\.zip"', answer.headers["content-disposition"]
    )
    assert answer.headers["accept-ranges"] == "bytes" and "content-encoding" not in answer.headers
    checked = _check(browser, answer.content)
    assert checked.status_code == 200 and "authentic" in checked.text
    assert "caf_minusca/P1" in checked.text and "Joint planning" in checked.text
    history = _words(browser.get("/extracts"))
    assert "ready" in history and "Ask again" in history
    assert list(settings.uploads.iterdir()) == []


def _check(browser, content):
    page = browser.get("/verify").text
    action = unescape(re.search(r'action="(/verify\?[^"]+)"', page)[1])
    return browser.post(action, files={"file": ("it.zip", content, "application/zip")})


def test_a_changed_byte_is_refused(browser):
    content = bytearray(browser.get(f"{_asked(browser)}/file").content)
    content[len(content) // 2] ^= 1
    checked = _check(browser, bytes(content))
    assert checked.status_code == 422 and "changed after it was signed" in checked.text
    assert "no signature" in _check(browser, b"anything").text


def test_checking_without_a_file_says_so_beside_the_field(browser):
    _asked(browser)
    page = browser.get("/verify").text
    action = unescape(re.search(r'action="(/verify\?[^"]+)"', page)[1])
    checked = browser.post(action, files={"file": ("", b"")})
    assert checked.status_code == 422 and "error-file" in checked.text


def test_a_download_goes_on_where_it_stopped_and_is_written_down_once(browser, settings):
    page = _asked(browser)
    before = _downloads(settings)
    whole = browser.get(f"{page}/file")
    tag = whole.headers["etag"]
    rest = browser.get(f"{page}/file", headers={"Range": "bytes=100-", "If-Range": tag})
    assert rest.status_code == 206 and rest.content == whole.content[100:]
    assert _downloads(settings) == before + 1
    changed = browser.get(f"{page}/file", headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert changed.status_code == 200 and changed.content == whole.content
    assert browser.get(f"{page}/file", headers={"Range": "bytes=999999999-"}).status_code == 416


@pytest.mark.parametrize("part", ["bytes=1-", "bytes=-99999999", "bytes=5-9, 20-"])
def test_a_download_that_skips_its_beginning_is_written_down_too(app, settings, part):
    browser = signed_in(app, "mission_staff", name=f"skips.{abs(hash(part)) % 10**6}")
    page = _asked(browser, {**CHOICE, "until": "2026-08-31"})
    before = _downloads(settings)
    assert browser.get(f"{page}/file", headers={"Range": part}).status_code == 206
    assert _downloads(settings) == before + 1


def test_what_is_somebody_elses_looks_like_what_is_not_there(browser, stranger, settings):
    page = _asked(browser)
    before = _downloads(settings)
    absent = stranger.get("/extracts/no-such-job")
    for path in (page, f"{page}/file"):
        answer = stranger.get(path)
        assert answer.status_code == absent.status_code == 404
        assert _words(answer).replace(path, "") == _words(absent).replace(
            "/extracts/no-such-job", ""
        )
    assert stranger.submit("/tables", {}, to=f"{page}/stop").status_code == 404
    assert _downloads(settings) == before


def test_the_end_of_an_agreement_closes_what_was_made_before(browser, monkeypatch, settings):
    page = _asked(browser)
    job_id = page.rpartition("/")[2]
    person = _person(settings)
    assert queue.job_of(settings, job_id, person).state == "done"
    later = dt.datetime(2035, 12, 31, 23, 59, tzinfo=dt.UTC)
    job = queue.job_of(settings, job_id, person)
    assert extracts.closed(settings, job) == ""
    monkeypatch.setattr(clock, "now", lambda: later)
    assert extracts.closed(settings, job) == ""
    assert extracts.file_of(settings, job) is None, "kept for some days only"
    monkeypatch.setattr(clock, "now", lambda: AFTER_ALL_AGREEMENTS)
    assert "ended on 2035-12-31" in extracts.closed(settings, job)


def _person(settings):
    from pipelines.accounts.people import find_user, person_of

    found: Person = person_of(find_user(settings, "test.mission_staff"))
    return found


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("areas", "SS01", "from the list"),
        ("columns", "place_text", "from the list"),
        ("columns", "", "at least one"),
        ("format", "geojson", "of the list"),
        ("purpose", "reporting_dpo", "of the list"),
    ],
)
def test_what_no_clause_opens_is_not_asked_for(browser, settings, field, typed, words):
    person = _person(settings)
    before = queue.jobs_of(settings, person, "extract")[1]
    answer = _sent(browser, {**CHOICE, "since": "2026-06-01", field: typed})
    assert answer.status_code == 422 and words in _words(answer)
    assert 'value="2026-06-01"' in answer.text, "the rest is kept"
    assert queue.jobs_of(settings, person, "extract")[1] == before


def test_a_table_that_is_not_theirs_cannot_be_asked_for(browser, stranger):
    for table in ("border_crossings", "no_such_table"):
        choice = {**CHOICE, "table": table}
        assert _sent(browser, choice).status_code == 404
        assert _looked(browser, choice).status_code == 404
    assert _sent(stranger, CHOICE).status_code == 404


def test_the_recipient_is_never_taken_from_the_form(browser, settings):
    choice = {
        **CHOICE,
        "recipient": "minusca_unpol_jma",
        "made_by": "somebody",
        "as_of": "2040-01-01",
    }
    page = _asked(browser, choice)
    job = queue.job_of(settings, page.rpartition("/")[2], _person(settings))
    assert job.request["recipient"] == "minusca_unpol"
    assert job.request["made_by"] == "test.mission_staff"
    assert job.request["as_of"] == AS_OF.isoformat()


def test_counts_hide_small_numbers_in_table_chart_and_map(browser):
    seen = _looked(browser, COUNTS)
    assert seen.status_code == 200, _words(seen)
    numbers = re.findall(r'<td class="number">(\d+)</td>', seen.text)
    assert numbers and all(int(number) >= 5 or int(number) == 0 for number in numbers)
    assert "too few to be told" in seen.text or "hides" in seen.text


def test_a_refusal_says_why_and_keeps_the_choice(browser, monkeypatch):
    def refuse(*_arguments, **_more):
        raise ReleaseError("REL-107", k=5)

    monkeypatch.setattr(previews, "show_preview", refuse)
    answer = _looked(browser, {**CHOICE, "since": "2026-06-01"})
    assert answer.status_code == 422
    assert "Too few records are alike" in _words(answer) and 'value="2026-06-01"' in answer.text


def test_a_look_that_takes_too_long_is_stopped_and_said(browser, monkeypatch):
    monkeypatch.setattr(previews, "LONGEST_S", 0.0)
    new = {**CHOICE, "columns": CHOICE["columns"][:3]}  # nobody was shown this yet
    answer = _looked(browser, new)
    assert answer.status_code == 200 and "too much to look at" in answer.text
    assert "Ask for this file" in answer.text


def test_too_many_looks_at_once_wait_and_then_say_so(browser, monkeypatch):
    monkeypatch.setattr(previews, "WAIT_S", 0.01)
    for _ in range(previews.AT_ONCE):
        assert previews._places.acquire(blocking=False)
    other = {**CHOICE, "columns": CHOICE["columns"][1:]}
    try:
        answer = _looked(browser, other)
    finally:
        for _ in range(previews.AT_ONCE):
            previews._places.release()
    assert answer.status_code == 503 and answer.headers["retry-after"]


def test_colleagues_who_look_at_the_same_see_it_at_once_and_others_do_not(
    app, browser, monkeypatch, settings, tmp_path
):
    wanted = {**CHOICE, "columns": CHOICE["columns"][:4]}
    first = _looked(browser, wanted).text

    def refuse(*_arguments, **_more):
        raise AssertionError("looked again")

    monkeypatch.setattr(previews, "_looking", refuse)
    colleague = signed_in(app, "mission_staff", name="a.colleague")
    again = _looked(colleague, wanted).text
    body = re.compile(r"<main.*</main>", re.DOTALL)
    blank_csrf = re.compile(r'name="csrf" value="[^"]*"')
    assert blank_csrf.sub("", body.search(again)[0]) == blank_csrf.sub("", body.search(first)[0])
    unit = signed_in(app, "mission_staff", organisation="minusca_unpol_jma", name="a.unit")
    assert _looked(unit, wanted).status_code == 500
    shutil.copytree(settings.agreements, tmp_path / "agreements")
    own = tmp_path / "agreements" / "caf_minusca.yaml"
    text = re.sub(r"(?m)^version: .*$", "version: 9.0.0", own.read_text(encoding="utf-8"))
    own.write_text(text, encoding="utf-8")
    changed = make_app(replace(settings, agreements=tmp_path / "agreements"))
    elsewhere = signed_in(changed, "mission_staff", name="after.a.change")
    assert _looked(elsewhere, wanted).status_code == 500


def test_waiting_renews_itself_and_can_be_told_not_to_and_stopped(browser, settings):
    answer = _sent(browser, CHOICE, follow_redirects=False)
    page = answer.headers["location"]
    waiting = browser.get(page)
    assert waiting.headers["refresh"] == "2" and "<progress" in waiting.text
    assert "refresh" not in browser.get(f"{page}?renew=no").headers
    stopped = browser.submit(page, {}, to=f"{page}/stop")
    assert "You stopped this" in stopped.text and "refresh" not in stopped.headers
    assert not worker.run_next(settings, "here/0")


def test_the_queue_tells_when_it_is_full(browser, monkeypatch, settings):
    monkeypatch.setitem(queue.MOST_OF_ONE, "extract", 0)
    answer = _sent(browser, CHOICE)
    assert answer.status_code == 429 and "waiting" in _words(answer)


def test_ask_again_opens_the_menu_with_the_same_chosen(browser):
    made = browser.get(_asked(browser, {**CHOICE, "since": "2026-06-01", "areas": ["CF71"]}))
    again = unescape(re.search(r'href="(/tables/incidents\?[^"]+)"', made.text)[1])
    assert unescape(again) in unescape(browser.get("/extracts").text)
    page = browser.get(again).text
    assert 'value="2026-06-01"' in page
    assert re.search(r'name="areas" value="CF71" checked', page)
    assert len(re.findall(r'name="columns" value="[^"]+" checked', page)) == len(CHOICE["columns"])
    assert "made_by" not in again and "recipient" not in again


def test_the_public_key_may_be_taken_along(browser):
    _asked(browser)
    key = browser.get("/verify/public-key.pem")
    assert key.text.startswith("-----BEGIN PUBLIC KEY-----")
    assert "attachment" in key.headers["content-disposition"]


def test_an_extract_outlives_the_worker_that_is_killed_over_it(demo_home, tmp_path):
    """Kill the worker in the middle; the next portal takes the job up and finishes it."""
    shutil.copy(demo_home.catalogue, tmp_path)
    settings = settings_for(tmp_path, lake=demo_home.lake).prepare()
    account(settings, "mission_staff")
    person = _person(settings)
    wanted = _stored(settings, person)
    job_id = queue.submit(settings, person, "extract", wanted)
    killed = Supervisor(settings, workers=1).start()
    _until(lambda: queue.job_of(settings, job_id, person).state != "queued")
    killed.ended.set()
    killed.watch.join()
    os.kill(killed.places[0].process.pid, signal.SIGKILL)
    killed.places[0].process.wait()
    half_made = list(settings.releases.glob("*")) if settings.releases.is_dir() else []
    assert all(file.suffix in (".zip", ".pem") for file in half_made)
    supervisor = Supervisor(settings, workers=2).start()
    try:
        _until(lambda: queue.job_of(settings, job_id, person).state == "done")
    finally:
        supervisor.stop()
    job = queue.job_of(settings, job_id, person)
    file = extracts.file_of(settings, job)
    assert verify(file, public_key_path(settings)).sha256 == job.result["sha256"]
    assert entries(settings, events=["extract.made"]).total in (1, 2)


def _stored(settings, person):
    found = menu(settings, person, "incidents", "records", "joint_planning")
    form = blank(**found.proposed())
    return extract_job.work_of(request_of(form, found, person), person)


def _until(happened, seconds=120):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_new_restriction_closes_what_was_made_before(browser, settings, tmp_path):
    job_id = _asked(browser).rpartition("/")[2]
    job = queue.job_of(settings, job_id, _person(settings))
    agreements = tmp_path / "agreements"
    shutil.copytree(settings.agreements, agreements)
    later = replace(settings, agreements=agreements)
    assert extracts.closed(later, job) == ""
    file = agreements / "caf_minusca.yaml"
    text = file.read_text(encoding="utf-8")
    added = (
        "  - clause: R9\n    reason: {en: held, fr: retenu}\n    providers: [caf_police]\n"
        "    recipients: [all]\n    table: incidents\n    rows: {offences: ['01']}\n"
        "    columns: [weapon_kind]\n"
    )
    file.write_text(text.replace("restrictions:\n", f"restrictions:\n{added}"), encoding="utf-8")
    assert "changed since" in extracts.closed(later, job)


def test_who_lost_the_right_while_waiting_gets_nothing(app, settings):
    from pipelines.accounts.people import find_user, person_of, set_roles

    browser = signed_in(app, "mission_staff", name="leaves.soon")
    person = person_of(find_user(settings, "leaves.soon"))
    answer = _sent(browser, CHOICE, follow_redirects=False)
    job_id = answer.headers["location"].rpartition("/")[2]
    set_roles(settings, "leaves.soon", ["provider"])
    before = len(entries(settings, events=["extract.made"], size=1000).entries)
    assert worker.run_next(settings, "here/9")
    job = queue.job_of(settings, job_id, person)
    assert (job.state, job.result["code"]) == ("failed", "ACC-142")
    assert len(entries(settings, events=["extract.made"], size=1000).entries) == before

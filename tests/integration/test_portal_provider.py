"""A provider's day: send a file, read what was wrong, send it again; a portal that is killed.

The portal runs in a process of its own, as a service manager runs it, with its workers.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import socket
import time
from html import unescape

import httpx
import pytest
from upath import UPath

from pipelines.accounts.permissions import Person
from pipelines.core.settings import settings_for
from pipelines.jobs import delivery as delivery_job
from pipelines.landing.inbox import fingerprint
from pipelines.ledger.chain import entries, last
from pipelines.portal.services import delivery_upload
from pipelines.portal.services.scope import own_feeds
from pipelines.portal.services.uploads import Upload
from schemas.contract import all_rules
from schemas.feed import load_feed
from tests.portal import cheap_passwords
from tests.portal_process import PortalProcess, wait_until

FEED = "caf_gendarmerie_incidents"
RULE = "INC-312"


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    cheap_passwords()
    portal = PortalProcess(settings_for(tmp_path_factory.mktemp("provider_home")).prepare()).start()
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def gendarmerie(portal):
    return portal.browser("provider", "caf_gendarmerie", name="greffe.one", language="en")


def action_of(browser, page="/deliveries/new"):
    found = re.search(r'<form method="post"[^>]* action="([^"]*new[^"]*)"', browser.get(page).text)
    return unescape(found[1])


def send(browser, name, content, feed=FEED, page="/deliveries/new"):
    return browser.post(
        action_of(browser, page), data={"feed": feed}, files={"file": (name, content)}
    )


def judged(browser, answer):
    """Follow the progress page as a browser does; the address of the delivery."""
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    while "/jobs/" in place:
        page = browser.get(place)
        if page.status_code == 303:
            place = page.headers["location"]
        else:
            assert page.headers["refresh"] == "2", page.text
            time.sleep(0.3)
    return place


def counterexample():
    [file] = (f for f, code in load_feed(FEED).counterexamples().items() if code == RULE)
    return file


@pytest.fixture(scope="module")
def rejected(gendarmerie):
    """The address of a delivery with a rejected row."""
    file = counterexample()
    return judged(gendarmerie, send(gendarmerie, "registre d’octobre.csv", file.read_bytes()))


def test_a_delivery_is_judged_and_its_rejections_are_told_in_its_language(gendarmerie, rejected):
    page = gendarmerie.get(rejected)
    rule = all_rules()[RULE]
    assert 'lang="fr"' in page.text
    assert unescape(page.text).count(rule.message["fr"]) >= 2, "once by rule, once at the cell"
    assert rule.correction["fr"] in unescape(page.text)
    assert RULE in page.text
    assert "registre d’octobre.csv" in unescape(page.text)


def test_the_switch_of_language_wins(portal, rejected):
    reader = portal.browser("provider", "caf_gendarmerie", name="greffe.two", language="fr")
    page = unescape(reader.get(f"{rejected}?lang=en").text)
    assert all_rules()[RULE].message["en"] in page
    assert all_rules()[RULE].message["en"] in unescape(reader.get(rejected).text)


def test_the_rejected_cell_is_shown_as_it_was_sent_and_no_other(gendarmerie, rejected):
    page = unescape(gendarmerie.get(rejected).text)
    assert "Arme utilisée = Type B" in page
    assert "VICTIME 000" not in page, "a column that is never read is not shown either"


def test_it_is_in_the_list_and_is_published(gendarmerie, rejected, portal):
    def is_published():
        found = entries(portal.settings, events=["delivery.published"]).entries
        return any(rejected.endswith(one.subject) for one in found)

    wait_until(is_published)
    listed = gendarmerie.get("/deliveries", params={"feed": FEED, "state": "accepted"}).text
    assert rejected in listed
    assert rejected not in gendarmerie.get("/deliveries", params={"state": "refused"}).text
    assert rejected not in gendarmerie.get("/deliveries", params={"until": "2000-01-01"}).text
    [judged_once] = [
        one
        for one in entries(portal.settings, events=["delivery.judged"]).entries
        if rejected.endswith(one.subject)
    ]
    assert judged_once.actor == "greffe.one"
    assert wait_until(lambda: list(portal.settings.uploads.glob("*")) == [])


def test_the_report_and_the_rows_to_correct(gendarmerie, rejected, portal):
    import openpyxl

    answer = gendarmerie.get(f"{rejected}/rejections.xlsx")
    assert answer.headers["content-disposition"].startswith("attachment;")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    assert RULE in cells
    rows = gendarmerie.get(f"{rejected}/rows")
    sent = counterexample().read_bytes()
    number, headings, *some = rows.content.splitlines()
    assert number.startswith(b"# passerelle_report: ")
    assert headings == sent.splitlines()[0]
    assert 1 <= len(some) < len(sent.splitlines())
    taken = entries(portal.settings, events=["rejections.downloaded"]).entries
    assert {one.details["form"] for one in taken} == {"workbook", "rows"}
    assert {one.actor for one in taken} == {"greffe.one"}


def test_the_same_file_twice_is_one_delivery_and_is_said_kindly(gendarmerie, rejected, portal):
    again = send(gendarmerie, "another name.csv", counterexample().read_bytes())
    place = judged(gendarmerie, again)
    assert place.partition("?")[0] == rejected
    page = unescape(gendarmerie.get(place).text)
    assert "already" in page or "déjà" in page
    mark = rejected.rpartition(".")[2]
    assert len(list(portal.settings.landing.glob(f"{FEED}/{mark}*"))) == 1


def test_a_refused_file_says_why_and_what_to_do(gendarmerie):
    place = judged(gendarmerie, send(gendarmerie, "lettre.txt", b"Monsieur le directeur"))
    page = unescape(gendarmerie.get(place).text)
    rule = all_rules()["DEL-725"]
    assert rule.correction["fr"] in page
    assert rule.explanation["fr"] in page
    assert gendarmerie.get(f"{place}/rows").status_code == 404


def test_somebody_elses_delivery_is_as_absent_as_one_that_never_was(portal, rejected):
    police = portal.browser("provider", "caf_police", name="commissariat.one")
    for tail in ("", "/rejections.xlsx", "/rows"):
        theirs = police.get(rejected + tail)
        absent = police.get(f"/deliveries/{FEED}.0123456789ab{tail}")
        assert (theirs.status_code, absent.status_code) == (404, 404)
        assert without_secrets(theirs.text) == without_secrets(absent.text).replace(
            f"{FEED}.0123456789ab", rejected.rpartition("/")[2]
        )
    assert rejected not in police.get("/deliveries").text
    assert police.get("/deliveries", params={"feed": FEED}).status_code == 422


def without_secrets(text):
    return re.sub(r'value="[^"]*"', "", text)


def test_a_feed_of_others_cannot_be_sent_and_what_was_typed_stays(portal):
    police = portal.browser("provider", "caf_police", name="commissariat.one")
    answer = send(police, "x.csv", b"a;b")
    assert answer.status_code == 422
    assert 'id="error-feed"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert list(portal.settings.uploads.glob("*.part")) == []
    nothing = police.post(
        action_of(police), data={"feed": "caf_police_incidents"}, files={"file": ("", b"")}
    )
    assert nothing.status_code == 422
    assert 'id="error-file"' in nothing.text
    assert re.search(r'<option value="caf_police_incidents" selected', nothing.text)


def test_a_team_sees_only_its_own_of_a_feed_that_several_send():
    scope = own_feeds("minusca_unpol_border")
    assert scope.feeds == scope.shared == ("unpol_border_seizures",)
    assert scope.origin == "upload/minusca_unpol_border"
    assert own_feeds("caf_gendarmerie").shared == ()
    assert own_feeds("public").feeds == own_feeds("nobody").feeds == ()


def test_a_portal_killed_in_the_middle_of_an_upload_lists_nothing_and_works_again(tmp_path):
    cheap_passwords()
    portal = PortalProcess(settings_for(tmp_path).prepare()).start()
    settings = portal.settings
    browser = portal.browser("provider", "caf_gendarmerie", name="greffe.one")
    upload = httpx.Request(
        "POST",
        portal.address + action_of(browser),
        data={"feed": FEED},
        files={"file": ("registre.csv", b"x" * (4 << 20))},
        headers={"cookie": "; ".join(f"{k}={v}" for k, v in browser.cookies.items())},
    )
    body = upload.read()
    head = f"POST {upload.url.raw_path.decode()} HTTP/1.1\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in upload.headers.items()
    )
    with socket.create_connection(("127.0.0.1", portal.port)) as line:
        line.sendall(head.encode() + b"\r\n" + body[: 3 << 20])
        [half] = wait_until(
            lambda: [f for f in settings.uploads.glob("*.part") if f.stat().st_size]
        )
        portal.kill()
    assert half.exists(), "a kill leaves what was taken"
    time.sleep(2.5)  # so old that it can no longer be one that is just being opened
    portal.start()
    try:
        assert not half.exists(), "it is swept at the start"
        again = portal.browser("provider", "caf_gendarmerie", name="greffe.one")
        assert f"{FEED}." not in again.get("/deliveries").text
        assert not settings.landing.exists() or not list(settings.landing.glob("*/*/receipt.json"))
        place = judged(again, send(again, "registre.csv", counterexample().read_bytes()))
        assert RULE in again.get(place).text
    finally:
        portal.stop()


def test_the_work_begins_again_at_any_point_and_ends_the_same(tmp_path):
    settings = settings_for(tmp_path).prepare()
    settings.uploads.mkdir()
    file = settings.uploads / "random.whole"
    file.write_bytes(counterexample().read_bytes())
    digest = fingerprint(UPath(file))
    upload = Upload(file, "registre.csv", digest, file.stat().st_size, {"feed": FEED})
    sender = Person("1", "greffe.one", "caf_gendarmerie", ("provider",))
    work = delivery_upload.work_of(upload, FEED, sender, dt.datetime.now(dt.UTC))
    first = delivery_job.take_in(settings, work)
    assert (first["state"], first["is_known"], file.exists()) == ("accepted", False, False)
    again = delivery_job.take_in(settings, work)  # killed after the file went, before the job's end
    assert again == first
    later = work | {"received_at": dt.datetime.now(dt.UTC).isoformat()}
    assert delivery_job.take_in(settings, later)["is_known"]
    assert last(settings, "delivery.repeated", work["delivery_id"]) is not None
    assert delivery_upload.is_settled(settings, work["delivery_id"])
    lost = work | {"delivery_id": f"{FEED}.000000000000"}
    with pytest.raises(FileNotFoundError):
        delivery_job.take_in(settings, lost)

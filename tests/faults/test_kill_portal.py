"""A portal that is killed at work, a disk that is full, a database that is busy: nothing half-made
is ever shown, and what was cut short goes on or is told in words.

The portal is a process of its own with its workers; uploads are in test_portal_provider.py.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from html import unescape

import httpx
import pytest
import sqlalchemy as sa
from filelock import FileLock

from pipelines.accounts.models import Job
from pipelines.accounts.people import find_user, person_of
from pipelines.accounts.tokens import make_token
from pipelines.jobs import queue, worker
from pipelines.ledger import database
from pipelines.ledger.chain import entries
from pipelines.ledger.database import dispose, sessions
from pipelines.ledger.verify import verify as verify_ledger
from pipelines.portal.app import create_app
from pipelines.portal.configuration import DEFAULT_RATES, Configuration
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from tests.integration.releasing import home_beside
from tests.portal import Browser, account, cheap_passwords, csrf_of, signed_in
from tests.portal_process import PortalProcess, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

DESK, PLACE = "jma.one", "minusca_unpol"
RECORDS = {
    "table": "incidents",
    "form": "records",
    "purpose": "joint_planning",
    "columns": ["record_id", "source", "country", "admin1_code", "occurred_on", "offence_code"],
    "format": "xlsx",
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
LARGE_BYTES = 48 << 20  # more than what lies in the buffers of a connection


@pytest.fixture
def home(demo_home, tmp_path):
    cheap_passwords()
    settings = home_beside(demo_home, tmp_path / "home").prepare()
    yield settings
    dispose(settings)


@pytest.fixture
def portal(home):
    portal = PortalProcess(home, PASSERELLE_LAKE=home.lake).start()
    yield portal
    if portal.process.poll() is None:
        portal.stop()


def ask(browser, choice=RECORDS):
    """Ask for an extract; the id of its job."""
    secret = csrf_of(browser.get("/extracts/../tables/incidents").text)
    answer = browser.post("/tables/incidents/extract", data={**choice, "csrf": secret})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def row(settings, job_id):
    with sessions(settings)() as session:
        found = session.get(Job, job_id)
        return found.state, (found.result or {}).get("stage", "")


def attempts(settings, job_id):
    with sessions(settings)() as session:
        found = session.get(Job, job_id)
        return found.state, found.attempts


def program(portal):
    """The API, as a program of the same person uses it."""
    person = person_of(find_user(portal.settings, DESK))
    token, _kept = make_token(portal.settings, person, "test", scopes=["extract.read_own"], days=7)
    return httpx.Client(
        base_url=f"{portal.address}/api/v1", headers={"Authorization": f"Bearer {token}"}
    )


def is_sound(settings):
    """Every zip that lies there is whole, signed and noted; beside them there is the key alone."""
    listed = list(settings.releases.iterdir()) if settings.releases.is_dir() else []
    for file in listed:
        if file.suffix != ".zip":
            assert file.name == "passerelle-public-key.pem", file.name
            continue
        proved = verify(file, public_key_path(settings))
        noted = entries(settings, events=["extract.made"], subject=proved.manifest.extract_id)
        assert noted.total and noted.entries[0].details["sha256"] == proved.sha256
    assert verify_ledger(settings) == []
    return [file for file in listed if file.suffix == ".zip"]


def shown(browser, path):
    text = browser.get(path).text
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


@pytest.mark.parametrize("stage", ["waiting", "gather", "write", "pack", "done"])
def test_an_extract_that_is_cut_short_is_made_after_the_restart(portal, stage):
    settings = portal.settings
    browser = portal.browser("mission_staff", PLACE, name=DESK)
    job_id = ask(browser)
    deadline = time.monotonic() + 60
    while stage != "waiting" and time.monotonic() < deadline:
        state, now = row(settings, job_id)
        if stage in (state, now) or state in ("done", "failed"):
            break
    portal.kill()
    before = is_sound(settings)
    assert row(settings, job_id)[0] != "done" or before
    portal.start()
    page = shown(browser, f"/extracts/{job_id}")
    assert re.search(r"waits for its turn|This page renews itself|Download", page), page
    wait_until(lambda: row(settings, job_id)[0] in ("done", "failed"))
    assert "Download" in shown(browser, f"/extracts/{job_id}")
    file = browser.get(f"/extracts/{job_id}/file")
    [only] = is_sound(settings)
    assert file.content == only.read_bytes()
    assert re.search(r"\bready\b", shown(browser, "/extracts"))
    [told] = program(portal).get("/extracts").json()["items"]
    assert (told["state"], told["result"]["sha256"]) == (
        "done",
        hashlib.sha256(file.content).hexdigest(),
    )
    assert list(settings.release_records.glob("*.parquet")) == [
        settings.release_records / f"{told['result']['extract_id']}.parquet"
    ]


def test_what_is_cut_short_twice_is_told_in_words(portal):
    settings = portal.settings
    browser = portal.browser("mission_staff", PLACE, name=DESK)
    settings.release_records.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.release_records / ".counts.lock"):  # holds the work where it is
        job_id = ask(browser, COUNTS)
        for attempt in (1, 2):
            wait_until(lambda attempt=attempt: attempts(settings, job_id) == ("running", attempt))
            portal.kill()
            assert is_sound(settings) == []
            portal.start()
        wait_until(lambda: row(settings, job_id)[0] == "failed")
    page = shown(browser, f"/extracts/{job_id}")
    assert "The work was cut short twice" in page and "JOB-101" in page
    assert "deux fois" in shown(browser, f"/extracts/{job_id}?lang=fr")
    assert browser.get(f"/extracts/{job_id}/file").status_code == 404
    [told] = program(portal).get("/extracts").json()["items"]
    assert told["state"] == "failed" and told["fault"] and not told["file"]
    again = ask(browser, COUNTS)
    wait_until(lambda: row(settings, again)[0] == "done")
    assert len(is_sound(settings)) == 1


def test_workers_outlive_their_portal_by_one_job_and_do_it_once(portal):
    settings = portal.settings
    browser = portal.browser("mission_staff", PLACE, name=DESK)
    settings.release_records.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.release_records / ".counts.lock"):
        job_id = ask(browser, COUNTS)
        wait_until(lambda: row(settings, job_id)[0] == "running")
        group = os.getpgid(portal.process.pid)
        os.kill(portal.process.pid, signal.SIGKILL)  # the portal alone
        portal.process.wait()
        portal.start()
        assert row(settings, job_id)[0] == "running"
    try:
        wait_until(lambda: row(settings, job_id)[0] == "done")
        assert len(is_sound(settings)) == 1
        assert entries(settings, events=["extract.made"]).total == 1
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def large(settings, seed=1):
    """A finished job with a large file, as a worker would leave it."""
    user = find_user(settings, DESK)
    content = random.Random(seed).randbytes(LARGE_BYTES)
    settings.releases.mkdir(parents=True, exist_ok=True)
    file = settings.releases / "incidents_minusca_unpol_2026-11-30_0123456789ab.zip"
    result = {
        "extract_id": "0123456789ab",
        "file": file.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": 1,
        "handling": "CONFIDENTIAL",
        "clauses": [],
    }
    file.write_bytes(content)
    return user, file, result, content


def test_a_download_goes_on_after_a_kill_and_is_never_mixed(portal):
    settings = portal.settings
    browser = portal.browser("mission_staff", PLACE, name=DESK)
    user, file, result, content = large(settings)
    with sessions(settings).begin() as session:
        job = Job(
            kind="extract",
            state="done",
            owner=user.id,
            organisation=PLACE,
            request={**RECORDS, "recipient": PLACE, "made_by": DESK},
            result=result,
        )
        session.add(job)
        session.flush()
        job_id = job.id
    address, got = f"/extracts/{job_id}/file", b""
    with browser.stream("GET", address) as answer:
        tag = answer.headers["etag"]
        assert tag == f'"{result["sha256"]}"'
        with pytest.raises(httpx.TransportError):
            for block in answer.iter_raw(1 << 16):
                if not got:
                    portal.kill()
                got += block
    assert 0 < len(got) < LARGE_BYTES and content.startswith(got)
    portal.start()
    rest = browser.get(address, headers={"Range": f"bytes={len(got)}-", "If-Range": tag})
    assert rest.status_code == 206
    assert hashlib.sha256(got + rest.content).hexdigest() == result["sha256"]
    assert entries(settings, events=["extract.downloaded"]).total == 1, "one download, in two parts"

    _user, _file, newer, other = large(settings, seed=2)
    with sessions(settings).begin() as session:
        session.get_one(Job, job_id).result = newer
    whole = browser.get(address, headers={"Range": f"bytes={len(got)}-", "If-Range": tag})
    assert whole.status_code == 200 and whole.content == other

    file.write_bytes(other[: LARGE_BYTES // 2])  # as a power cut may leave what was not synced
    assert browser.get(address).status_code == 404
    assert "can no longer be fetched" in shown(browser, f"/extracts/{job_id}")


@pytest.fixture
def app(home):
    rates = dict.fromkeys(DEFAULT_RATES, "10000/minute")
    return create_app(home, Configuration(rates=rates))


def mounted(folder, options):
    folder.mkdir(exist_ok=True)
    line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(line, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system cannot be mounted here")


@pytest.mark.parametrize("trouble", ["size=8k", "ro", "no folder"])
def test_where_a_file_cannot_be_kept_it_is_said_with_a_code_and_leaves_no_trace(app, home, trouble):
    browser = signed_in(app, "mission_staff", organisation=PLACE, name=DESK)
    job_id = ask_in_process(browser)
    if trouble == "no folder":
        home.releases.write_text("not a folder")
    else:
        mounted(home.releases, trouble)
    try:
        assert worker.run_next(home, "here/0")
        assert trouble == "no folder" or list(home.releases.glob("*.zip")) == []
    finally:
        if trouble != "no folder":
            subprocess.run(["umount", str(home.releases)], check=True)
    page = shown(browser, f"/extracts/{job_id}")
    assert "disk is full or cannot be written" in page and "JOB-103" in page
    assert "disque" in shown(browser, f"/extracts/{job_id}?lang=fr")
    assert browser.get(f"/extracts/{job_id}/file").status_code == 404
    assert list(home.scratch.iterdir()) == []
    assert not home.release_records.exists() or not list(home.release_records.glob("*.parquet"))
    assert entries(home, events=["extract.made"]).total == 0
    assert verify_ledger(home) == []
    if trouble == "no folder":
        home.releases.unlink()
    again = ask_in_process(browser)
    assert worker.run_next(home, "here/0")
    assert row(home, again)[0] == "done" and len(is_sound(home)) == 1


def ask_in_process(browser):
    answer = browser.submit(
        "/tables/incidents", RECORDS, to="/tables/incidents/extract", follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def test_a_busy_database_is_a_page_in_words_and_readers_do_not_notice(home, monkeypatch):
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    app = create_app(home, Configuration(rates=dict.fromkeys(DEFAULT_RATES, "10000/minute")))
    browser = signed_in(app, "mission_staff", organisation=PLACE, name=DESK)
    account(home, "oversight", name="eyes.one")
    writer = sa.create_engine(home.database_url, isolation_level="AUTOCOMMIT").connect()
    stranger = Browser(app)
    secret = csrf_of(stranger.get("/sign-in").text)
    writer.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        for path in ("/", "/tables", "/extracts", "/dictionary"):
            assert browser.get(path).status_code == 200, path
        asked = browser.submit("/tables/incidents", RECORDS, to="/tables/incidents/extract")
        assert asked.status_code == 503 and "WEB-503" in asked.text
        form = {"csrf": secret, "name": DESK, "password": "x"}
        refused = stranger.post("/sign-in?lang=fr", data=form)
        assert refused.status_code == 503
        assert "Réessayez" in refused.text or "moment" in refused.text
    finally:
        writer.exec_driver_sql("ROLLBACK")
        writer.close()
    assert (
        browser.submit("/tables/incidents", RECORDS, to="/tables/incidents/extract").status_code
        == 200
    )
    assert queue.jobs_of(home, person_of(find_user(home, DESK)), "extract")[1] == 1

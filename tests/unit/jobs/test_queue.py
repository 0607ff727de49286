"""The queue: bounded, each job done once, cut short is begun again once, nobody else's is seen."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from pipelines.accounts.models import Job
from pipelines.accounts.people import add_user
from pipelines.core.settings import current_settings, settings_for
from pipelines.jobs import queue, worker
from pipelines.jobs.supervisor import Supervisor, environment_of
from pipelines.ledger.database import sessions
from pipelines.release.errors import ReleaseError

LONG_S = 60


@pytest.fixture
def settings(tmp_path):
    return settings_for(tmp_path).prepare()


@pytest.fixture
def person(settings):
    return _person(settings, "desk.one")


def _person(settings, name, organisation="minusca_unpol"):
    return add_user(settings, name, organisation=organisation, roles=["mission_staff"])


def _run(settings, work, place="here/0", **more):
    return worker.run_next(settings, place, work={"extract": work}, **more)


def _change(settings, job_id, **values):
    with sessions(settings).begin() as session:
        session.execute(sa.update(Job).where(Job.id == job_id).values(**values))


def test_a_job_is_done_and_its_result_is_kept(settings, person):
    job_id = queue.submit(settings, person, "extract", {"table": "incidents"})
    assert queue.job_of(settings, job_id, person).state == "queued"
    assert _run(settings, lambda _settings, job, _told: {"table": job.request["table"]})
    done = queue.job_of(settings, job_id, person)
    assert (done.state, done.result, done.is_active) == ("done", {"table": "incidents"}, False)
    assert not _run(settings, lambda *_: {})


def test_progress_is_told_in_words_and_percent(settings, person):
    job_id = queue.submit(settings, person, "extract", {})
    seen = []

    def work(_settings, _job, told):
        told("rows", done=1, total=4)
        seen.append(queue.job_of(settings, job_id, person))
        return {}

    _run(settings, work)
    assert (seen[0].state, seen[0].stage, seen[0].percent) == ("running", "rows", 25)


def test_one_person_does_not_fill_the_queue(settings, person):
    for _ in range(queue.MOST_OF_ONE["extract"]):
        queue.submit(settings, person, "extract", {})
    with pytest.raises(queue.TooManyJobsError) as full:
        queue.submit(settings, person, "extract", {})
    assert "already have 3" in full.value.text("en")
    queue.submit(settings, _person(settings, "desk.two"), "extract", {})


def test_the_queue_itself_is_bounded(settings, person, monkeypatch):
    monkeypatch.setattr(queue, "MOST_OF_ALL", 1)
    queue.submit(settings, person, "extract", {})
    with pytest.raises(queue.TooManyJobsError) as full:
        queue.submit(settings, person, "extract", {})
    assert "some minutes" in full.value.text("en")


def test_absent_and_not_yours_look_alike(settings, person):
    job_id = queue.submit(settings, person, "extract", {})
    stranger = _person(settings, "desk.far", "caf_police")
    assert queue.job_of(settings, job_id, stranger) is None
    assert queue.job_of(settings, "x" * 500, person) is None
    assert queue.job_of(settings, job_id, person, "delivery") is None
    assert queue.jobs_of(settings, stranger, "extract") == ([], 0)
    moved = replace(person, organisation="caf_police")
    assert queue.job_of(settings, job_id, moved) is None
    assert queue.jobs_of(settings, moved, "extract") == ([], 0)
    assert not queue.cancel(settings, job_id, stranger)


def test_several_workers_never_do_a_job_twice(settings, person, monkeypatch):
    monkeypatch.setitem(queue.MOST_OF_ONE, "extract", 100)
    wanted = {queue.submit(settings, person, "extract", {}) for _ in range(20)}
    done = []

    def work(_settings, job, _told):
        done.append(job.id)
        return {}

    def worker(slot):
        while _run(settings, work, f"here/{slot}"):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    assert len(done) == len(wanted) and set(done) == wanted


def test_what_was_cut_short_begins_again_once_and_then_says_so(settings, person):
    job_id = queue.submit(settings, person, "extract", {})
    for _ in range(2):
        assert queue.claim(settings, "here/0").id == job_id
        assert queue.requeue(settings, "elsewhere/0") == 0
        assert queue.requeue(settings, "here/0") == 1
    failed = queue.job_of(settings, job_id, person)
    assert failed.state == "failed"
    assert failed.fault("en") == queue.FAULTS[queue.INTERRUPTED]


def test_a_worker_that_fell_silent_long_ago_is_not_waited_for(settings, person):
    job_id = queue.submit(settings, person, "extract", {})
    queue.claim(settings, "another-machine/0")
    assert queue.requeue(settings) == 0
    _change(settings, job_id, updated_at=dt.datetime.now(dt.UTC) - 2 * queue.SILENCE)
    assert queue.requeue(settings) == 1
    assert not queue.finish(settings, job_id, "another-machine/0", "done", {})
    assert queue.job_of(settings, job_id, person).state == "queued"


def test_stopping_a_job(settings, person):
    waiting = queue.submit(settings, person, "extract", {})
    assert queue.cancel(settings, waiting, person)
    assert queue.claim(settings, "here/0") is None
    assert not queue.cancel(settings, waiting, person)

    running = queue.submit(settings, person, "extract", {})
    reached = []

    def work(_settings, _job, told):
        queue.cancel(settings, running, person)
        told("rows")
        reached.append(True)
        return {}

    assert _run(settings, work)
    assert not reached
    assert queue.job_of(settings, running, person).fault("en") == "You stopped this."


def test_a_worker_that_tells_nothing_is_left_too(settings, person, monkeypatch):
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.05)
    job_id = queue.submit(settings, person, "extract", {})
    left = []

    def work(_settings, _job, _told):
        queue.cancel(settings, job_id, person)
        _until(lambda: left)
        return {}

    _run(settings, work, if_unwanted=lambda: left.append(True))
    assert queue.job_of(settings, job_id, person).state == "failed"


def test_a_refusal_keeps_its_words_and_a_fault_tells_nothing(settings, person, caplog):
    def refuse(*_):
        raise ReleaseError("REL-112", since="2026-02-01", until="2026-01-01")

    def fail(*_):
        raise ValueError("a value of somebody")

    refused = queue.submit(settings, person, "extract", {})
    _run(settings, refuse)
    broken = queue.submit(settings, person, "extract", {})
    _run(settings, fail)
    refused, broken = (queue.job_of(settings, one, person) for one in (refused, broken))
    assert refused.fault("en").startswith("The period ends")
    assert refused.result["refusal"]["fr"] and refused.result["code"] == "REL-112"
    assert broken.result == {"fault": queue.BROKEN}
    assert "a value of somebody" not in caplog.text
    assert "ValueError" in caplog.text


def test_being_told_to_end_gives_the_job_back_uncounted(settings, person):
    job_id = queue.submit(settings, person, "extract", {})

    def work(*_):
        raise SystemExit

    for _ in range(3):
        with pytest.raises(SystemExit):
            _run(settings, work)
    assert queue.job_of(settings, job_id, person).state == "queued"


def test_deliveries_go_first_where_a_place_says_so(settings, person):
    queue.submit(settings, person, "extract", {})
    delivery = queue.submit(settings, person, "delivery", {})
    assert queue.claim(settings, "here/0", "delivery").id == delivery


def test_old_results_are_let_go_unless_something_newer_shows_them(settings, person):
    settings.releases.mkdir()
    long_ago = dt.datetime.now(dt.UTC) - 2 * queue.KEPT
    for name, again in (("old.zip", False), ("shown.zip", True), ("../ledger.db", False)):
        for is_old in (True, False) if again else (True,):
            job_id = queue.submit(settings, person, "extract", {})
            state = {"state": "done", "result": {"file": name}}
            when = long_ago if is_old else dt.datetime.now(dt.UTC)
            _change(settings, job_id, **state, updated_at=when)
        if "/" not in name:
            (settings.releases / name).write_bytes(b"x")
            os.utime(settings.releases / name, (0, 0))
    assert queue.let_go(settings) == 1
    assert [file.name for file in settings.releases.iterdir()] == ["shown.zip"]
    assert (settings.home / "ledger.db").exists()


def test_another_process_reads_the_same_settings(settings, monkeypatch):
    settings = replace(settings, threads=2, memory_limit="2GB", language="fr")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    assert current_settings() == settings


def _until(happened, seconds=LONG_S):
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.mark.slow
def test_the_supervisor_replaces_a_killed_worker_and_ends_with_the_portal(settings, person):
    """A job of a kind that no worker knows fails; that it ended shows that a worker lives."""
    supervisor = Supervisor(settings, workers=1).start()
    try:
        first = queue.submit(settings, person, "unheard", {})
        _until(lambda: queue.job_of(settings, first, person).state == "failed")
        killed = supervisor.places[0].process
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(LONG_S)
        second = queue.submit(settings, person, "unheard", {})
        _until(lambda: queue.job_of(settings, second, person).state == "failed")
    finally:
        supervisor.stop()
    assert supervisor.places[0].process.poll() is not None


@pytest.mark.slow
def test_a_worker_leaves_when_its_portal_is_killed_and_no_other_takes_its_place(settings):
    code = (
        "import sys, time; from pipelines.core.settings import current_settings;"
        "from pipelines.jobs.supervisor import Supervisor;"
        "c = Supervisor(current_settings(), workers=1).start();"
        "time.sleep(1); print(c.places[0].process.pid, flush=True); time.sleep(600)"
    )
    portal = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment_of(settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    worker = int(portal.stdout.readline())
    _until((settings.home / "jobs" / "worker-0.lock").exists)
    _until(lambda: _is_taken(settings))
    portal.kill()
    portal.wait(LONG_S)
    portal.stdout.close()
    _until(lambda: not _is_alive(worker))
    assert not _is_taken(settings)


def _is_taken(settings):
    from filelock import FileLock, Timeout

    try:
        with FileLock(settings.home / "jobs" / "worker-0.lock", timeout=0):
            return False
    except Timeout:
        return True


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""Receiving: one delivery for the same bytes, whole or not there, on a disk or elsewhere."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from pipelines.core.settings import Settings, settings_for
from pipelines.landing.receive import (
    Delivery,
    list_deliveries,
    local_file,
    open_delivery,
    receive,
    safe_file_name,
)

FEED = "ucdp_ged_incidents"
DATA = b"id,country\n1,CAF\n"


@pytest.fixture(params=["disk", "url", "memory"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    places = {
        "disk": UPath(tmp_path / "home" / "landing"),
        "url": UPath((tmp_path / "other" / "landing").as_uri()),
        "memory": UPath(f"memory://{uuid4().hex}/landing"),
    }
    return settings_for(tmp_path / "home", landing=places[request.param])


def write(folder: Path, name: str = "d.csv", data: bytes = DATA) -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


def test_a_delivery_is_kept_with_its_receipt(settings: Settings, tmp_path: Path) -> None:
    file = write(tmp_path, "événements mars.csv")
    os.utime(file, (1_700_000_000.25, 1_700_000_000.25))
    delivery = receive(settings, FEED, file, origin="inbox", received_by="jdoe")
    sha256 = hashlib.sha256(DATA).hexdigest()
    assert delivery.is_new
    assert delivery.delivery_id == f"{FEED}.{sha256[:12]}"
    assert delivery.folder == settings.landing / FEED / sha256
    assert delivery.payload.read_bytes() == DATA
    assert json.loads((delivery.folder / "receipt.json").read_text("utf-8")) == {
        "delivery_id": delivery.delivery_id,
        "feed": FEED,
        "sha256": sha256,
        "file_name": "événements mars.csv",
        "bytes": len(DATA),
        "origin": "inbox",
        "received_at": "2023-11-14T22:13:20.250000Z",
        "received_at_from": "file",
        "received_by": "jdoe",
        "licence": "CC BY 4.0",
        "kind": None,
        "as_of": None,
        "report_number": "",
    }


def test_the_same_bytes_are_one_delivery_and_the_first_receipt_stays(
    settings: Settings, tmp_path: Path
) -> None:
    first = receive(settings, FEED, write(tmp_path), received_by="first")
    again = receive(settings, FEED, write(tmp_path, "other.csv"), received_by="second")
    assert (first.is_new, again.is_new) == (True, False)
    assert again.receipt == first.receipt
    assert [one.receipt for one in list_deliveries(settings)] == [first.receipt]
    elsewhere = receive(settings, "cod_pnc_incidents", write(tmp_path))
    assert elsewhere.is_new


def test_deliveries_are_found_again_in_order_of_receipt(settings: Settings, tmp_path: Path) -> None:
    made = [
        receive(
            settings,
            FEED,
            write(tmp_path, f"{day}.csv", DATA * day),
            received_at=dt.datetime(2026, 3, day, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        )
        for day in (3, 1, 2)
    ]
    ids = [one.delivery_id for one in list_deliveries(settings, FEED)]
    assert ids == [made[1].delivery_id, made[2].delivery_id, made[0].delivery_id]
    assert list_deliveries(settings, "cod_pnc_incidents") == []
    opened = open_delivery(settings, ids[0])
    assert opened.receipt == made[1].receipt
    assert opened.receipt.received_at == dt.datetime(2026, 2, 28, 23, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("modified", "told_by"),
    [
        (dt.datetime(1970, 1, 1), "clock"),
        (dt.datetime(1980, 1, 1), "clock"),
        (dt.datetime(1999, 12, 31, 23, 59, 59), "clock"),
        (dt.datetime(2000, 1, 1), "file"),
        (dt.datetime(2025, 1, 1), "file"),
        (dt.datetime(2100, 1, 1), "clock"),
    ],
)
def test_a_time_that_no_set_clock_shows_is_not_believed(
    settings: Settings, tmp_path: Path, modified: dt.datetime, told_by: str
) -> None:
    moment = modified.replace(tzinfo=dt.UTC)
    file = write(tmp_path)
    os.utime(file, (moment.timestamp(), moment.timestamp()))
    before = dt.datetime.now(dt.UTC)
    receipt = receive(settings, FEED, file).receipt
    assert receipt.received_at_from == told_by
    if told_by == "file":
        assert receipt.received_at == moment
    else:
        assert before <= receipt.received_at <= dt.datetime.now(dt.UTC)
    again = receive(settings, FEED, file).receipt
    assert again == receipt, "the moment is told once"


def test_a_file_of_a_clock_that_runs_ahead_is_received_now(
    settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path)
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
    os.utime(file, (ahead.timestamp(), ahead.timestamp()))
    receipt = receive(settings, FEED, file).receipt
    assert receipt.received_at <= dt.datetime.now(dt.UTC)


def test_a_receipt_says_what_is_known_then_of_the_day_and_the_kind(
    settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path, "export_PNC_2026-05_2026-09.csv")
    receipt = receive(settings, "cod_pnc_incidents", file, kind="correction").receipt
    assert (receipt.as_of, receipt.kind) == (dt.date(2026, 9, 30), "correction")


def test_a_time_that_was_given_is_believed(settings: Settings, tmp_path: Path) -> None:
    given = dt.datetime(1998, 5, 1, 12)
    receipt = receive(settings, FEED, write(tmp_path), received_at=given).receipt
    assert receipt.received_at == given.replace(tzinfo=dt.UTC)
    assert receipt.received_at_from == "given"


def test_a_receipt_of_before_it_said_who_told_the_time_is_read(
    settings: Settings, tmp_path: Path
) -> None:
    delivery = receive(settings, FEED, write(tmp_path))
    said = json.loads((delivery.folder / "receipt.json").read_text("utf-8"))
    del said["received_at_from"]
    (delivery.folder / "receipt.json").unlink()
    (delivery.folder / "receipt.json").write_text(json.dumps(said), encoding="utf-8")
    assert open_delivery(settings, delivery.delivery_id).receipt == delivery.receipt


def test_a_file_is_brought_here_once_and_only_from_elsewhere(
    settings: Settings, tmp_path: Path
) -> None:
    delivery = receive(settings, FEED, write(tmp_path))
    folder = tmp_path / "here"
    file = local_file(delivery.payload, folder)
    assert file.read_bytes() == DATA
    is_here = not str(settings.landing).startswith("memory:")
    assert folder.exists() != is_here
    before = file.stat().st_mtime_ns
    assert local_file(delivery.payload, folder).stat().st_mtime_ns == before
    assert is_here or [one.name for one in folder.iterdir()] == ["d.csv"]


@pytest.mark.parametrize(
    "delivery_id",
    ["", FEED, f"{FEED}.000000000000", "../x.0123456789ab", f"{FEED}.*", f"{FEED}.0123456789AB"],
)
def test_what_is_not_there_is_a_key_error(settings: Settings, delivery_id: str) -> None:
    with pytest.raises(KeyError):
        open_delivery(settings, delivery_id)


def test_a_file_may_come_from_anywhere(settings: Settings, tmp_path: Path) -> None:
    source = UPath(f"memory://{uuid4().hex}/out/d.csv")
    source.parent.mkdir(parents=True)
    source.write_bytes(DATA)
    delivery = receive(settings, FEED, source)
    assert delivery.payload.read_bytes() == DATA
    assert delivery.receipt.received_at_from == "file"
    age = dt.datetime.now(dt.UTC) - delivery.receipt.received_at
    assert dt.timedelta(0) <= age < dt.timedelta(minutes=5)
    assert not list(tmp_path.rglob(".part-*"))


def test_a_feed_that_is_not_declared_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        receive(settings, "../escape", write(tmp_path))
    assert list_deliveries(settings) == []


def test_a_torn_receipt_is_no_delivery_and_the_next_attempt_completes_it(
    tmp_path: Path,
) -> None:
    settings = settings_for(tmp_path, landing=UPath(f"memory://{uuid4().hex}/landing"))
    folder = settings.landing / FEED / hashlib.sha256(DATA).hexdigest()
    (folder / "original").mkdir(parents=True)
    (folder / "original" / "d.csv").write_bytes(DATA[:4])
    assert list_deliveries(settings) == []
    delivery = receive(settings, FEED, write(tmp_path))
    assert delivery.is_new
    assert delivery.payload.read_bytes() == DATA


def test_many_at_once_make_one_delivery(settings: Settings, tmp_path: Path) -> None:
    files = [write(tmp_path, f"{n}.csv", DATA * 1000) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made: list[Delivery] = list(pool.map(lambda file: receive(settings, FEED, file), files))
    assert sum(one.is_new for one in made) == 1
    assert len({one.receipt.file_name for one in made}) == 1
    assert made[0].payload.read_bytes() == DATA * 1000


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("mars 2026.csv", "mars 2026.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\rapport.xlsx", "rapport.xlsx"),
        ("a:b*c?.csv", "a_b_c_.csv"),
        ("nul.csv", "_nul.csv"),
        ("..", "delivery"),
        (".hidden", "hidden"),
        ("e\u0301.csv", "é.csv"),
        ("x\n\x00.csv", "x__.csv"),
        ("é" * 200 + ".geojson", "é" * 71 + ".geojson"),
    ],
)
def test_safe_file_names(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


KILLED = """
    import sys
    from pathlib import Path
    from pipelines.landing.receive import receive
    from pipelines.core.settings import settings_for

    settings = settings_for(sys.argv[1])
    print("ready", flush=True)
    for file in sorted(Path(sys.argv[2]).iterdir()):
        receive(settings, "ucdp_ged_incidents", file)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_kill_at_any_moment_leaves_whole_deliveries_only(tmp_path: Path) -> None:
    inbox, home = tmp_path / "in", tmp_path / "home"
    inbox.mkdir()
    for n in range(60):
        write(inbox, f"{n:02}.csv", b"%d\n" % n * 200_000)
    settings = settings_for(home)
    for attempt in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(home), str(inbox)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.01 + 0.03 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for delivery in list_deliveries(settings):
            digest = hashlib.sha256(delivery.payload.read_bytes()).hexdigest()
            assert digest == delivery.sha256
    for file in inbox.iterdir():
        receive(settings, FEED, file)
    assert len(list_deliveries(settings)) == 60

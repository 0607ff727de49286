"""The inbox, the landing zone and the lake in an object store (S3), the catalogue on this machine.

Not here: the same on a disk, which every other test uses.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from upath import UPath

from pipelines.core.settings import Settings, current_settings
from pipelines.ingest.inbox import ingest_inbox
from pipelines.lake.catalogue import connect
from pipelines.lake.maintenance import check
from pipelines.lake.publish import publish
from schemas.feed import load_feed

BUCKET = "s3://passerelle-test"
FEED = "caf_border_crossings"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    pytest.importorskip("moto.server", reason="needs moto[server], of the dev extra")
    pytest.importorskip("s3fs", reason="needs s3fs, of the s3 extra")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # In a process of its own: Delta's reader holds the interpreter while it waits for an answer.
    store = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    _wait_for(port)
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
        "PASSERELLE_HOME": str(tmp_path),
        "PASSERELLE_INBOX": f"{BUCKET}/inbox",
        "PASSERELLE_LANDING": f"{BUCKET}/landing",
        "PASSERELLE_LAKE": f"{BUCKET}/lake",
    }.items():
        monkeypatch.setenv(variable, value)
    UPath(BUCKET).mkdir(parents=True, exist_ok=True)
    yield current_settings().prepare()
    store.terminate()
    store.wait(timeout=10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.skip("the store did not start")


def test_a_delivery_travels_through_an_object_store(settings: Settings) -> None:
    assert os.environ["PASSERELLE_LAKE"].startswith("s3://")
    examples = load_feed(FEED).examples()
    for example in examples:
        place = settings.inbox / FEED / example.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(example.read_bytes())
    verdicts = ingest_inbox(settings)
    assert [verdict.state for verdict in verdicts] == ["accepted"] * len(examples)
    published = publish(settings)
    assert len(published.deliveries) == len(examples)
    assert publish(settings).deliveries == ()
    with connect(settings) as catalogue:
        told = catalogue.execute("SELECT count(*) FROM border_crossings_history").fetchone()
        now = catalogue.execute("SELECT count(DISTINCT record_id) FROM border_crossings").fetchone()
    assert told == (sum(verdict.rows_accepted for verdict in verdicts),)
    assert now == (17,)  # of 18, one is corrected and one withdrawn by the amendments
    assert check(settings) == []
    assert (settings.landing / FEED).exists()

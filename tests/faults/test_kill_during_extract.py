"""SIGKILL at any moment of an extract: no zip or a whole one, noted; a rerun makes it good."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.ledger.chain import entries
from pipelines.ledger.verify import verify as verify_ledger
from pipelines.release.disclosure.past_disclosures import cells_folder
from pipelines.release.extract import make_extract
from pipelines.release.package.keys import public_key_path
from pipelines.release.package.verify import verify
from pipelines.release.request import Request
from tests.integration.releasing import home_beside, wanted

KILLS = 8
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pipelines.release.extract", "pyarrow", "duckdb"])
RECORDS = wanted(format="csv")
COUNTS = wanted(
    recipient="dpo_police_division",
    purpose="reporting_dpo",
    form="counts",
    dimensions=("country", "month"),
    format="csv",
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL and forkserver")


def make(settings: Settings, request: Request) -> None:
    make_extract(settings, request, made_by="killed")


def make_and_die(settings: Settings, request: Request, call: str, number: int, when: str) -> None:
    """Make an extract, and be killed before or after the `number`th `call`."""
    import pipelines.ledger.chain
    import pipelines.release.extract
    import pipelines.release.package.archive
    import pipelines.release.package.signature

    owner, name = {
        "note": (pipelines.ledger.chain, "append"),
        "place": (pipelines.release.extract, "place"),
        "replace": (Path, "replace"),
        "sign": (pipelines.release.package.archive, "sign_file"),
        "sync": (os, "fsync"),
    }[call]
    real, calls = getattr(owner, name), itertools.count(1)

    def deadly(*args: object, **kwargs: object) -> object:
        is_last = next(calls) == number
        if is_last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if is_last and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
    make_extract(settings, request, made_by="killed")


@pytest.fixture(scope="module")
def calm(demo_home, tmp_path_factory) -> dict[str, bytes]:
    """The two extracts as they are where nobody is killed."""
    settings = home_beside(demo_home, tmp_path_factory.mktemp("calm") / "home")
    make_extract(settings, RECORDS, made_by="calm")
    make_extract(settings, COUNTS, made_by="calm")
    files = settings.secrets.glob("release_*")
    keys = {f"key {file.name}": file.read_bytes() for file in files}
    return {**{file.name: file.read_bytes() for file in settings.releases.glob("*.zip")}, **keys}


def is_sound(settings: Settings, calm: dict[str, bytes]) -> set[str]:
    """What is listed is whole, authentic and noted; no draft lies beside it. The names of it."""
    listed = [] if not settings.releases.exists() else list(settings.releases.iterdir())
    zips = {path.name for path in listed if path.suffix == ".zip"}
    for name in zips:
        verified = verify(settings.releases / name, public_key_path(settings))
        noted = entries(settings, events=["extract.made"], subject=verified.manifest.extract_id)
        assert noted.total, "a zip of which the ledger does not know"
        assert noted.entries[0].details["sha256"] == verified.sha256
        held = settings.release_records / f"{verified.manifest.extract_id}.parquet"
        assert held.is_file(), "a zip of which nobody knows whom it holds"
        assert (settings.releases / name).read_bytes() == calm[name]
    assert {path.name for path in listed if not path.name.startswith(".")} <= {
        *zips,
        "passerelle-public-key.pem",
    }
    return zips


def prepared(demo_home: Settings, calm: dict[str, bytes], place: Path) -> Settings:
    settings = home_beside(demo_home, place)
    for name, content in calm.items():
        if name.startswith("key "):
            (settings.secrets / name.removeprefix("key ")).write_bytes(content)
    return settings


STEPS = [
    *(("sign", 1, when) for when in ("before", "after")),
    *(("place", number, when) for number in (1, 2) for when in ("before", "after")),
    *(("replace", number, when) for number in (1, 2) for when in ("before", "after")),
    *(("note", 1, when) for when in ("before", "after")),
    *(("sync", number, "after") for number in (1, 2, 3, 4)),
]


def test_a_kill_at_every_step_leaves_no_half_and_a_rerun_makes_it_good(demo_home, calm, tmp_path):
    for number, step in enumerate(STEPS):
        settings = prepared(demo_home, calm, tmp_path / f"home{number}")
        process = PROCESSES.Process(target=make_and_die, args=(settings, RECORDS, *step))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL, step
        is_sound(settings, calm)
        make_extract(settings, RECORDS, made_by="again")
        [name] = is_sound(settings, calm)
        assert verify_ledger(settings) == [], step
        assert name.startswith("incidents_minusca_unpol"), step


def test_kills_at_random_moments_leave_no_half(demo_home, calm, tmp_path):
    settings, chance = prepared(demo_home, calm, tmp_path / "home"), random.Random(5)
    process, began = PROCESSES.Process(target=make, args=(settings, RECORDS)), time.monotonic()
    process.start()
    process.join()
    duration_s = time.monotonic() - began
    killed = 0
    for number in range(3 * KILLS):
        request = COUNTS if number % 2 else RECORDS
        process = PROCESSES.Process(target=make, args=(settings, request))
        process.start()
        process.join(duration_s * chance.random())
        killed += process.is_alive()
        process.kill()
        process.join()
        is_sound(settings, calm)
        if killed == KILLS:
            break
    assert killed == KILLS
    make(settings, RECORDS)
    make(settings, COUNTS)
    wanted_names = {name for name in calm if name.endswith(".zip")}
    assert is_sound(settings, calm) == wanted_names
    assert verify_ledger(settings) == []
    told = cells_folder(settings, "incidents", "dpo_police_division")
    assert len(list(told.glob("*.parquet"))) == 1

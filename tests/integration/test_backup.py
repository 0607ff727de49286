"""A backup and back: the same tables, ledger, accounts and extracts, in another home.

Also what must never come back: a file that was changed, a path that leads out, half a backup.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from pipelines import connect
from pipelines.accounts import passwords
from pipelines.accounts.people import add_user
from pipelines.accounts.sessions import open_session, person_of_session
from pipelines.accounts.signin import authenticate
from pipelines.backup.archive import MANIFEST, unpack
from pipelines.backup.errors import BackupError
from pipelines.backup.make import make_backup
from pipelines.backup.restore import restore
from pipelines.core.settings import Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import publish
from pipelines.lake.maintenance import check as check_lake
from pipelines.ledger.chain import append, entries
from pipelines.ledger.database import dispose
from pipelines.ledger.verify import verify
from pipelines.release.extract import make_extract
from pipelines.release.package.verify import verify as verify_extract
from pipelines.release.request import Request
from schemas.contract import table_names
from schemas.feed import FEEDS_FOLDER
from tests.conftest import passerelle
from tests.databases import untied

WORDS = "correct horse battery"
FEEDS = ("caf_gendarmerie_incidents", "iom_dtm_border_flows", "unpol_border_seizures")

pytestmark = pytest.mark.usefixtures("audit_agrees")


@pytest.fixture(scope="module")
def living(demo_home, tmp_path_factory) -> Settings:
    """A copy of the demo with an account, a session and an extract."""
    home = tmp_path_factory.mktemp("living") / "home"
    shutil.copytree(demo_home.home, home)
    settings = settings_for(home, memory_limit="512MB", threads=2)
    (home / "catalog.duckdb").unlink()
    publish(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "PARAMETERS", CHEAPEST)
        add_user(settings, "jma.1", organisation="minusca_unpol", roles=["analyst"], password=WORDS)
    yield settings
    dispose(settings)


@pytest.fixture(scope="module")
def extract(living) -> Path:
    with connect(living) as connection:
        [last] = connection.execute("SELECT max(occurred_on) FROM incidents").fetchone()
    request = Request(
        table="incidents",
        recipient="minusca_unpol",
        purpose="joint_planning",
        format="csv",
        as_of=last,
    )
    return make_extract(living, request, made_by="jma.1").file


@pytest.fixture(scope="module")
def whole(living, extract, tmp_path_factory) -> Path:
    """A backup with its keys."""
    target = tmp_path_factory.mktemp("backups") / "whole.tar.gz"
    make_backup(living, target, with_secrets=True)
    return target


@pytest.fixture
def other(tmp_path):
    settings = settings_for(tmp_path / "other", memory_limit="512MB", threads=2)
    yield settings
    dispose(settings)


def all_rows(settings: Settings) -> dict[str, list[tuple]]:
    relations = [f"{table}{kind}" for table in table_names("data") for kind in ("", "_history")]
    with connect(settings) as connection:
        return {
            relation: connection.execute(f"FROM {relation} ORDER BY ALL").fetchall()
            for relation in [*relations, "deliveries", "rejections"]
        }


def is_empty(settings: Settings) -> bool:
    leftovers = list(settings.home.parent.glob(".*restoring*"))
    return not leftovers and not any(path.is_file() for path in settings.home.rglob("*"))


@pytest.mark.parametrize("ending", [".tar.zst", ".tar.gz"])
def test_everything_comes_back_in_another_home(living, extract, other, tmp_path, ending):
    token = open_session(living, authenticate(living, "jma.1", WORDS))
    made = make_backup(living, tmp_path / f"b{ending}", with_secrets=True)
    assert made.file.stat().st_mode & 0o077 == 0
    before = entries(living, size=1000).entries

    done = restore(other, made.file)
    assert (done.problems, done.has_keys, done.are_agreements_other) == ((), True, False)
    assert all_rows(other) == all_rows(living)
    with connect(other) as connection:
        pinned = connection.execute("SELECT DISTINCT sql FROM duckdb_views()").fetchall()
    assert not any(str(living.home) in sql for (sql,) in pinned)
    assert verify(other) == []
    after = entries(other, size=1000).entries
    assert (after[0].event, before[0].event) == ("backup.restored", "backup.made")
    assert after[1:] == before[1:]  # a backup cannot hold the entry that says it was made
    assert person_of_session(other, token) is None
    assert authenticate(other, "jma.1", WORDS).name == "jma.1"
    copy = other.releases / extract.name
    assert copy.read_bytes() == extract.read_bytes()
    assert verify_extract(copy, other.releases / "passerelle-public-key.pem")
    records = {path.name for path in living.release_records.rglob("*.parquet")}
    assert {path.name for path in other.release_records.rglob("*.parquet")} == records
    assert publish(other).deliveries == ()  # nothing is waiting, nothing is taken in twice
    assert check_lake(other) == []


def test_keys_that_are_kept_apart_come_back_from_apart(living, extract, other, tmp_path):
    made = make_backup(living, tmp_path / "b.tar.zst")
    with tarfile_of(made.file, tmp_path) as folder:
        assert not (folder / "secrets").exists()
    done = restore(other, made.file, secrets=living.secrets)
    assert done.has_keys
    assert verify(other) == []
    assert {p.name for p in other.secrets.iterdir()} == {p.name for p in living.secrets.iterdir()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in other.secrets.iterdir())


class tarfile_of:  # noqa: N801  (used as a function)
    def __init__(self, file: Path, place: Path) -> None:
        self.file, self.folder = file, place / "unpacked"

    def __enter__(self) -> Path:
        self.folder.mkdir()
        unpack(self.file, self.folder)
        return self.folder

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self.folder)


def test_without_keys_the_ledger_is_looked_through_and_signed_anew(living, other, tmp_path):
    made = make_backup(living, tmp_path / "b.tar.zst")
    done = restore(other, made.file)
    assert (done.has_keys, done.problems) == (False, ())
    assert verify(other) == []
    append(other, "sql.run", actor="a")
    assert verify(other) == []


def test_a_home_with_anything_in_it_is_left_alone(whole, other):
    other.home.mkdir()
    (other.home / "note.txt").write_text("mine")
    with pytest.raises(BackupError) as refused:
        restore(other, whole)
    assert refused.value.code == "BAK-203"
    assert [path.name for path in other.home.iterdir()] == ["note.txt"]


def rewritten(whole: Path, place: Path, change) -> Path:
    """A backup with some members changed by `change(members)`, its form intact."""
    with tarfile.open(whole) as tar:
        members = {one.name: tar.extractfile(one).read() for one in tar.getmembers()}
    manifest = members.pop(MANIFEST)
    extra = change(members) or []
    target = place / "changed.tar.gz"
    with tarfile.open(target, "w:gz") as tar:
        for name, data in {**members, MANIFEST: manifest}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for member in extra:
            tar.addfile(member, io.BytesIO(b"x" * member.size))
    return target


def flip(name: str):
    def change(members: dict[str, bytes]) -> None:
        path = next(path for path in members if name in path)
        data = bytearray(members[path])
        data[len(data) // 2] ^= 1
        members[path] = bytes(data)

    return change


@pytest.mark.parametrize(
    "name", ["landing/", "lake/incidents/is_latest", "_delta_log", "ledger.db", "releases/"]
)
def test_a_changed_byte_in_any_part_is_refused_and_nothing_is_restored(
    whole, other, tmp_path, name
):
    with pytest.raises(BackupError) as refused:
        restore(other, rewritten(whole, tmp_path, flip(name)))
    assert refused.value.code == "BAK-302"
    assert name.rstrip("/") in refused.value.text("fr")
    assert is_empty(other)


def test_a_missing_and_an_added_file_are_refused(whole, other, tmp_path):
    def lose(members):
        members.pop(next(path for path in members if "receipt.json" in path))

    def add(members):
        members["landing/extra.txt"] = b"x"

    for change, code in ((lose, "BAK-302"), (add, "BAK-303")):
        with pytest.raises(BackupError) as refused:
            restore(other, rewritten(whole, tmp_path, change))
        assert refused.value.code == code
        assert is_empty(other)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    one = tarfile.TarInfo(name)
    one.type, one.linkname = kind, link
    one.size = 1 if kind == tarfile.REGTYPE else 0
    return one


@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside.txt"),
        member("/outside/absolute.txt"),
        member("landing/../../outside.txt"),
        member("landing/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("landing/link", tarfile.LNKTYPE, "ledger.db"),
        member("landing/fifo", tarfile.FIFOTYPE),
        member("ledger.db"),
        member("surprise/x.txt"),
    ],
    ids=lambda one: f"{one.name} {one.type!r}",
)
def test_a_path_or_a_kind_that_does_not_belong_is_refused(whole, other, tmp_path, hostile):
    with pytest.raises(BackupError) as refused:
        restore(other, rewritten(whole, tmp_path, lambda members: [hostile]))
    assert refused.value.code == "BAK-303"
    assert is_empty(other)
    assert not (tmp_path / "outside.txt").exists()


def test_half_a_backup_and_no_backup_are_refused(whole, other, tmp_path):
    half, noise, zst = (tmp_path / name for name in ("h.tar.gz", "n.tar.gz", "n.tar.zst"))
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    noise.write_bytes(os.urandom(5_000))
    zst.write_bytes(os.urandom(5_000))
    empty = tmp_path / "e.tar.gz"
    empty.write_bytes(gzip.compress(b""))
    foreign = tmp_path / "f.tar.gz"
    with tarfile.open(foreign, "w:gz") as tar:
        said = json.dumps({"format": "other", "files": []}).encode()
        one = tarfile.TarInfo(MANIFEST)
        one.size = len(said)
        tar.addfile(one, io.BytesIO(said))
    for file in (half, noise, zst, empty, foreign):
        with pytest.raises(BackupError) as refused:
            restore(other, file)
        assert refused.value.code == "BAK-301"
        assert is_empty(other)


def test_a_ledger_that_was_tampered_with_does_not_come_back_unnoticed(living, other, tmp_path):
    bad = settings_for(tmp_path / "bad")
    shutil.copytree(living.home, bad.home)
    untied(bad, "UPDATE ledger_entries SET actor = 'x' WHERE seq = 3")
    made = make_backup(bad, tmp_path / "b.tar.gz", with_secrets=True)
    dispose(bad)
    with pytest.raises(BackupError) as refused:
        restore(other, made.file)
    assert refused.value.code == "BAK-304"
    assert "3" in refused.value.text("fr")
    assert is_empty(other)
    restore(other, made.file, although_tampered=True)
    assert [fault.seq for fault in verify(other)] == [3]


def test_a_backup_never_replaces_a_file_and_has_a_name_of_its_own(living, tmp_path):
    (tmp_path / "b.tar.gz").write_text("mine")
    for name, code in (("b.tar.gz", "BAK-202"), ("b.zip", "BAK-201")):
        with pytest.raises(BackupError) as refused:
            make_backup(living, tmp_path / name)
        assert refused.value.code == code
    assert (tmp_path / "b.tar.gz").read_text() == "mine"
    with pytest.raises(BackupError) as refused:
        make_backup(settings_for(tmp_path / "nothing"), tmp_path / "c.tar.gz")
    assert refused.value.code == "BAK-206"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["b.tar.gz"]


def test_what_goes_wrong_in_the_middle_leaves_no_file(living, tmp_path, monkeypatch):
    from pipelines.backup import contents

    def broken(settings, aside):
        raise OSError(5, "the disk")

    monkeypatch.setattr(contents, "ledger_members", broken)
    with pytest.raises(OSError, match="the disk"):
        make_backup(living, tmp_path / "b.tar.zst")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_backup_that_is_killed_leaves_no_file_of_its_name(living, tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pipelines.core.settings import settings_for\n"
        "from pipelines.backup.make import make_backup\n"
        "def tell(done, total, what):\n"
        "    print(what, flush=True); time.sleep(0.05)\n"
        "make_backup(settings_for(sys.argv[1]), Path(sys.argv[2]), on_progress=tell)\n"
    )
    target = tmp_path / "b.tar.zst"
    line = [sys.executable, "-c", code, str(living.home), str(target)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    while process.stdout.readline().strip() != "landing":
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    make_backup(living, target)
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar.zst"]


def test_a_backup_made_while_work_goes_on_fits_together(living, other, tmp_path):
    busy = settings_for(tmp_path / "busy", memory_limit="512MB", threads=1)
    first, *rest = [
        (feed, file)
        for feed in FEEDS
        for file in sorted((FEEDS_FOLDER / feed / "examples").iterdir())
    ]
    ingest(busy, *first)
    publish(busy)
    stop = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for feed, file in rest:
                ingest(busy, feed, file)
                publish(busy)
            while not stop.is_set():
                append(busy, "sql.run", actor="a")
        except BaseException as error:
            failed.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        made = [make_backup(busy, tmp_path / f"b{n}.tar.gz", with_secrets=True) for n in range(3)]
    finally:
        stop.set()
        worker.join()
        dispose(busy)
    assert failed == []
    for number, one in enumerate(made):
        place = replace(settings_for(tmp_path / f"back{number}"), threads=2)
        assert restore(place, one.file).problems == ()
        assert verify(place) == []
        dispose(place)


def test_the_commands_say_what_they_did(living, extract, tmp_path):
    target, home = tmp_path / "b.tar.zst", tmp_path / "back"
    home.mkdir()
    said = passerelle("backup", "make", str(target), home=living.home, language="fr").stdout
    assert str(living.secrets) in said.replace("\n", "")
    said = passerelle(
        "backup", "restore", str(target), "--secrets", str(living.secrets), home=home
    ).stdout
    assert "Tables, files and deliveries agree." in said
    assert "keys did not come back" not in said
    checked = json.loads(passerelle("ledger", "verify", "--json", home=home).stdout)
    assert checked["faults"] == []
    again = passerelle("backup", "restore", str(target), home=home, check=False)
    assert (again.returncode, "BAK-203" in again.stderr) == (2, True)
    missing = passerelle("backup", "restore", "no.tar.gz", home=home, check=False)
    assert missing.returncode == 4
    assert passerelle("backup", "make", "no/b.tar.gz", home=home, check=False).returncode == 2


def test_the_anchor_of_before_holds_after(living, whole, other):
    restore(other, whole)
    kept = entries(other, size=1000).entries
    entry = next(one for one in kept if one.seq == 10)
    assert verify(other, f"10:{entry.hash}") == []
    assert verify(other, f"10:{'0' * 64}")[0].kind == "rewritten"

"""Every file of an installation is its owner's alone, whatever the umask; a group reads the lake.

Not here: who may see what in the portal.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.core.ownership import close_home, group_id, open_to_readers
from pipelines.core.settings import (
    SettingError,
    Settings,
    current_settings,
    settings_for,
)
from schemas.feed import load_feed

FEED = "caf_gendarmerie_incidents"
PROGRAM = """
import os, sys
os.umask(int(sys.argv[1], 8))
from pipelines.cli import main
for arguments in (
    ["ingest", "{feed}", "{file}"],
    ["user", "add", "desk.one", "--organisation", "caf_police", "--role", "provider", "--one-time"],
    ["key", "export", "{key}"],
):
    code = main(arguments)
    assert code == 0, (arguments, code)
"""


def made(home: Path, umask: str, **environment: str) -> None:
    """A home with a delivery that was judged and published, a ledger, an account and keys."""
    file = load_feed(FEED).examples()[0]
    program = PROGRAM.format(feed=FEED, file=file, key=home.parent / "key.pem")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    done = subprocess.run(
        [sys.executable, "-c", program, umask],
        env={**kept, "PASSERELLE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr


def below(home: Path) -> Iterator[Path]:
    return (path for path in (home, *home.rglob("*")) if not path.is_symlink())


def open_ones(home: Path) -> list[str]:
    return [str(path.relative_to(home)) for path in below(home) if path.stat().st_mode & 0o077]


@pytest.fixture(scope="module")
def homes() -> Iterator[Path]:
    """A place that other accounts of this machine can reach, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="passerelle-private-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def home(homes: Path) -> Path:
    """One that was made while nothing was hidden from anybody."""
    made(homes / "home", "000")
    return homes / "home"


@pytest.fixture(scope="module")
def group() -> str:
    """A group that files may be given to."""
    ours = os.getgroups() if os.geteuid() else [pwd.getpwnam("nobody").pw_gid]
    others = [one for one in ours if one != os.getegid()] or ours
    return grp.getgrgid(others[0]).gr_name


@pytest.fixture(scope="module")
def read_home(homes: Path, group: str) -> Path:
    """One that a group may read in, made under the usual umask."""
    made(homes / "read", "022", PASSERELLE_READERS=group)
    return homes / "read"


def test_nothing_is_open_whatever_the_umask(home: Path) -> None:
    assert (home / "catalog.duckdb").is_file()
    assert list((home / "landing").rglob("original/*"))
    assert open_ones(home) == []


def test_what_an_older_version_left_open_is_closed_at_the_next_start(home: Path) -> None:
    count = 0
    for path in below(home):
        path.chmod(0o755 if path.is_dir() else 0o644)
        count += 1
    assert close_home(settings_for(home)) == count
    assert open_ones(home) == []
    (home / "landing").chmod(0o755)
    settings_for(home).prepare()
    assert open_ones(home) == []
    assert close_home(settings_for(home)) == 0


def test_a_folder_that_many_share_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "others").mkdir(mode=0o755)
    assert close_home(settings_for(tmp_path)) == 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_a_group_reads_the_catalogue_and_the_lake_and_nothing_else(
    read_home: Path, group: str
) -> None:
    home, number = read_home, group_id(group)
    lake, catalogue = home / "lake", home / "catalog.duckdb"
    shared = [catalogue, *(path for path in below(lake) if not path.name.endswith(".lock"))]
    for path in shared:
        known = path.stat()
        assert known.st_gid == number, path
        assert known.st_mode & (0o050 if path.is_dir() else 0o040), path
        assert not known.st_mode & 0o027, path
    assert stat.S_IMODE(home.stat().st_mode) == 0o710
    others = [path for path in below(home) if path not in (home, *shared)]
    assert others
    assert [path for path in others if path.stat().st_mode & 0o077] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another account")
def test_an_analyst_of_the_group_opens_the_catalogue_in_an_account_of_their_own(
    read_home: Path, group: str
) -> None:
    assert asked_as_nobody(read_home, [group_id(group)]) == 0
    assert asked_as_nobody(read_home, []) == 1


def asked_as_nobody(home: Path, groups: list[int]) -> int:
    """0 where an account in these groups reads the tables; 1 where it may not."""
    import duckdb

    child = os.fork()
    if not child:
        code = 2
        try:
            os.setgroups(groups)
            os.setgid(next(one.gr_gid for one in grp.getgrall() if one.gr_name == "games"))
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            with duckdb.connect(str(home / "catalog.duckdb"), read_only=True) as connection:
                code = 0 if connection.sql("SELECT count(*) FROM incidents").fetchone()[0] else 3
        except duckdb.IOException:
            code = 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_home_is_opened_to_readers_and_closed_to_them_again(home: Path, group: str) -> None:
    private = settings_for(home)
    replace(private, readers=group).prepare()
    assert stat.S_IMODE((home / "lake").stat().st_mode) == 0o2750
    assert stat.S_IMODE((home / "catalog.duckdb").stat().st_mode) == 0o440
    private.prepare()
    assert open_ones(home) == []


def test_what_is_no_group_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PASSERELLE_READERS", "no-such-group-here")
    with pytest.raises(SettingError, match="must be a group"):
        current_settings()
    settings: Settings = settings_for(tmp_path)
    open_to_readers(settings)  # none is named
    assert list(tmp_path.iterdir()) == []

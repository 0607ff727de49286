"""What is kept for one browser: nobody else opens it, the disk does not tell it."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from pipelines.core.settings import Settings, settings_for
from pipelines.portal.web import submissions

KEY = b"k" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for(tmp_path).prepare()


def test_it_is_opened_with_its_number_binding_and_key_only(settings: Settings) -> None:
    number = submissions.hold(settings, KEY, "visit:a", {"typed": "é \u202e words"})
    assert submissions.opened(settings, KEY, "visit:a", number) == {"typed": "é \u202e words"}
    assert submissions.opened(settings, KEY, "visit:b", number) is None
    assert submissions.opened(settings, b"o" * 32, "visit:a", number) is None
    for other in ("", "x", "../../ledger.db", number + "x"):
        assert submissions.opened(settings, KEY, "visit:a", other) is None


def test_the_disk_tells_nothing_and_is_closed(settings: Settings) -> None:
    number = submissions.hold(settings, KEY, "visit:a", {"typed": "a secret word"})
    [file] = (settings.scratch / "held").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert b"secret" not in file.read_bytes()
    assert number not in file.name and "visit" not in file.name
    file.write_bytes(file.read_bytes()[:-4] + b"AAAA")
    assert submissions.opened(settings, KEY, "visit:a", number) is None


def test_of_one_binding_the_oldest_give_way(settings: Settings) -> None:
    other = submissions.hold(settings, KEY, "visit:b", {})
    numbers = []
    for at in range(submissions.MOST_EACH + 3):
        numbers.append(submissions.hold(settings, KEY, "visit:a", {"at": at}))
        files = (settings.scratch / "held").glob(f"{submissions._digest('visit:a')[:20]}-*")
        newest = max(files, key=lambda one: one.stat().st_mtime_ns)
        os.utime(newest, (time.time() - 1000 + at,) * 2)
    found = [submissions.opened(settings, KEY, "visit:a", one) for one in numbers]
    assert [one is None for one in found] == [True] * 3 + [False] * submissions.MOST_EACH
    assert found[-1] == {"at": submissions.MOST_EACH + 2}
    assert submissions.opened(settings, KEY, "visit:b", other) == {}


def test_after_some_hours_it_is_gone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    number = submissions.hold(settings, KEY, "visit:a", {})
    later = time.time() + submissions.KEPT_S + 2
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        assert submissions.opened(settings, KEY, "visit:a", number) is None
    [old] = (settings.scratch / "held").iterdir()
    os.utime(old, (time.time() - submissions.KEPT_S - 2,) * 2)
    submissions.hold(settings, KEY, "visit:b", {})
    assert not old.exists() and len(list(old.parent.iterdir())) == 1

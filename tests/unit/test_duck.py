"""Scratch folders: gone after the work, and what a killed process left goes in time.

Not here: what is done in them (the stages).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from pipelines.duck import LEFT_BEHIND_S, scratch_folder
from pipelines.settings import settings_for


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    settings = settings_for(tmp_path).prepare()
    left, used = settings.scratch / "spill-left", settings.scratch / "spill-used"
    for folder in (left, used):
        folder.mkdir()
        (folder / "rows").write_text("a row of a delivery")
    long_ago = time.time() - LEFT_BEHIND_S - 60
    os.utime(left, (long_ago, long_ago))
    with scratch_folder(settings, "work") as mine:
        assert sorted(settings.scratch.iterdir()) == sorted([mine, used])
    assert list(settings.scratch.iterdir()) == [used]

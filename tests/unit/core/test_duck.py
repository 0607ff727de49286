"""Scratch folders, gone in time whatever happens; the key by which a record's number is looked up.

Not here: what is done in them (the stages).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipelines.core.duck import LEFT_BEHIND_S, record_keys, scratch_folder
from pipelines.core.settings import settings_for


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


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("PNC/CD72/2026/00002", "PNC/CD72/2026/00002"),
        ("PNC/CD72/2026/00002\u200e", "PNC/CD72/2026/00002"),  # a direction mark
        ("PNC/CD72/2026/\u00ad00002", "PNC/CD72/2026/00002"),  # a soft hyphen
        ("\ufeffPNC/CD72\u200b/2026/00002\x00", "PNC/CD72/2026/00002"),
        ("pnc/cd72/2026/00002", "PNC/CD72/2026/00002"),
        ("PNC / CD72 / 2026 / 00002", "PNC/CD72/2026/00002"),
        ("PNC\u00a0/\u202fCD72/2026/00002", "PNC/CD72/2026/00002"),
        ("ＰＮＣ／ＣＤ７２／２０２６／０００02", "PNC/CD72/2026/00002"),
        ("0004/BT-ZÉM/2026", "0004/BT-ZEM/2026"),
        ("0004/BT-ZE\u0301M/2026", "0004/BT-ZEM/2026"),
        ("0004/BT–ZÉM/2026", "0004/BT-ZEM/2026"),
        ("n° ٧", "N°7"),
        ("12", "12"),
        ("12.0", "12"),
        ("12.000", "12"),
        ("12.05", "12.05"),
        ("1.0.0", "1.0.0"),
        ("0012", "0012"),
        ("1.23456789012346E+17", None),
        ("1,23E+15", None),
        ("PV-1E", "PV-1E"),
    ],
)
def test_one_number_has_one_key_however_it_is_spelled(number: str, key: str | None) -> None:
    assert record_keys([number]) == [key]

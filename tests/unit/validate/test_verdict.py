"""A verdict is reached from what was found, and kept whole.

Not here: verdicts of real deliveries (`tests/integration`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from upath import UPath

from pipelines.core.findings import Finding
from pipelines.validate.audit import Audit
from pipelines.validate.verdict import (
    FILE_NAME,
    JUDGEMENTS,
    Verdict,
    earlier_verdicts,
    reach_verdict,
    read_verdict,
    standing_folder,
    write_verdict,
)

WHEN = dt.datetime(2026, 10, 1, 8, 30, tzinfo=dt.UTC)
NAME = "caf_border_crossings.0123456789ab"


def test_without_rows_or_audit_a_delivery_is_refused() -> None:
    finding = Finding("DEL-706", {"file_name": "empty.csv"})
    verdict = reach_verdict(
        NAME,
        "caf_border_crossings",
        harmonised=None,
        audit=None,
        findings=[finding],
        harmonised_at=WHEN,
    )
    assert verdict.state == "refused"
    assert verdict.rows_read is None
    assert verdict.source == "caf_border_police"
    assert verdict.findings[0].finding == finding


def test_problems_of_the_audit_are_findings_of_the_verdict() -> None:
    problem = Finding("DEL-715", {"detail": "BXC-402, accepted: 0 ≠ 1"})
    verdict = reach_verdict(
        NAME,
        "caf_border_crossings",
        harmonised=None,
        audit=Audit(False, 12, [problem]),
        findings=[],
        harmonised_at=WHEN,
    )
    assert not verdict.is_accepted
    assert [found.code for found in verdict.findings] == ["DEL-715"]
    assert verdict.audit
    assert verdict.audit.evaluated == 12


HERE = Path(__file__)
NOTHING_SAID = SimpleNamespace(
    **dict.fromkeys(("accepted", "quarantined", "duplicates"), HERE),
    text_rows=SimpleNamespace(encoding="utf-8"),
    as_of=SimpleNamespace(day=None, told_by=None),
    rows_read=1,
    rows_accepted=1,
    rows_quarantined=0,
    rows_exact_duplicates=0,
    reason_counts={},
    warning_counts={},
)
STOPS = Finding("DEL-715", {"detail": "BXC-402, accepted: 0 ≠ 1"})


@pytest.mark.parametrize(
    ("harmonised", "audit", "findings", "is_accepted"),
    [
        (NOTHING_SAID, Audit(True, 12, []), [], True),
        (NOTHING_SAID, Audit(False, 12, []), [], False),  # though it names no problem
        (NOTHING_SAID, Audit(True, 12, [STOPS]), [], False),  # though it says that all is well
        (NOTHING_SAID, Audit(True, 12, []), [STOPS], False),  # though the audit found nothing
        (NOTHING_SAID, None, [], False),
        (None, Audit(True, 12, []), [], False),
    ],
)
def test_each_lock_of_a_verdict_holds_without_the_others(harmonised, audit, findings, is_accepted):
    verdict = reach_verdict(
        NAME,
        "caf_border_crossings",
        harmonised=harmonised,
        audit=audit,
        findings=findings,
        harmonised_at=WHEN,
    )
    assert verdict.is_accepted is is_accepted


def test_the_digest_is_that_of_what_was_found_and_of_the_files_and_of_no_moment() -> None:
    now, later = (
        reach_verdict(
            NAME,
            "caf_border_crossings",
            harmonised=NOTHING_SAID,
            audit=Audit(True, 12, [], data_docs_page=page),
            findings=[],
            harmonised_at=moment,
        )
        for moment, page in ((WHEN, None), (WHEN + dt.timedelta(days=1), HERE))
    )
    assert now.files == dict.fromkeys(
        ("accepted", "quarantined", "duplicates"), hashlib.sha256(HERE.read_bytes()).hexdigest()
    )
    assert now.digest == later.digest
    assert now.digest != now.model_copy(update={"files": {}}).digest
    assert now.digest != now.model_copy(update={"rows_accepted": 0}).digest


@pytest.mark.parametrize("place", ["local", "memory"])
def test_what_is_written_is_read(place: str, tmp_path: Path) -> None:
    folder = UPath(tmp_path) if place == "local" else UPath("memory://landing/one")
    folder.mkdir(parents=True, exist_ok=True)
    verdict = reach_verdict(
        NAME,
        "caf_border_crossings",
        harmonised=None,
        audit=Audit(True, 3, [], {"accepted": 1}, tmp_path / "page.html"),
        findings=[],
        harmonised_at=WHEN,
    )
    write_verdict(folder, verdict)
    write_verdict(folder, verdict)
    assert read_verdict(folder) == verdict
    assert [file.name for file in folder.iterdir()] == [FILE_NAME]


def test_no_verdict_yet(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_verdict(UPath(tmp_path))


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff\xfe", b'{"feed": 1}'])
def test_a_damaged_verdict_is_none(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "verdict.json").write_bytes(damaged)
    with pytest.raises(FileNotFoundError):
        read_verdict(UPath(tmp_path))


def refused_at(moment: dt.datetime) -> Verdict:
    return reach_verdict(
        NAME, "caf_border_crossings", harmonised=None, audit=None, findings=[], harmonised_at=moment
    )


def test_the_latest_judgement_that_came_to_a_verdict_stands(tmp_path: Path) -> None:
    """One that was killed on its way left a folder without a verdict."""
    folder = UPath(tmp_path)
    verdicts = [refused_at(WHEN + dt.timedelta(days=day)) for day in range(4)]
    places = [folder, *(folder / JUDGEMENTS / one.folder_name for one in verdicts[1:])]
    for place, verdict in zip(places[:3], verdicts, strict=False):
        place.mkdir(parents=True, exist_ok=True)
        write_verdict(place, verdict)
    places[3].mkdir()
    assert standing_folder(folder) == places[2]
    assert read_verdict(folder) == verdicts[2]
    assert earlier_verdicts(folder) == verdicts[:2]


@pytest.mark.parametrize(("said", "kind"), [(None, "register"), ("correction", "correction")])
def test_what_the_receipt_says_of_a_file_goes_before_what_its_feed_says(said, kind) -> None:
    verdict = reach_verdict(
        NAME,
        "caf_border_crossings",
        harmonised=None,
        audit=None,
        findings=[],
        harmonised_at=WHEN,
        kind=said,
    )
    assert verdict.kind == kind

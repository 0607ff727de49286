"""Agreements in the ledger: an entry when one of them changes, and only then."""

from __future__ import annotations

from dataclasses import replace

from pipelines.ledger.chain import entries
from pipelines.ledger.policy import note_policy, policy_hashes


def test_an_entry_is_written_when_an_agreement_changes(place, tmp_path):
    folder = tmp_path / "agreements"
    folder.mkdir()
    settings = replace(place, agreements=folder)
    (folder / "a.yaml").write_text("agreement: a\n")
    (folder / "b.yaml").write_text("agreement: b\n")
    assert note_policy(settings).details["changed"] == ["a.yaml", "b.yaml"]
    assert note_policy(settings) is None
    (folder / "a.yaml").write_text("agreement: a2\n")
    (folder / "b.yaml").unlink()
    entry = note_policy(settings, actor="jma.1")
    assert (entry.actor, entry.details["changed"]) == ("jma.1", ["a.yaml", "b.yaml"])
    assert entry.details["files"] == policy_hashes(settings)
    assert entries(settings, events=["policy.changed"]).total == 2


def test_the_shipped_agreements_are_hashed(place):
    assert all(len(digest) == 64 for digest in policy_hashes(place).values())

"""Keep an answer as the rule of a feed: `deliveries: register` in its feed.yaml.

Not here: answering about one delivery (`pipelines/ingest/publish.py`).
"""

from __future__ import annotations

import re
from pathlib import Path

from schemas.feed import Feed, Statement, load_feed

AFTER = "expected_every_days:"


def keep_rule(feed: str, kind: Statement) -> Path:
    """Say in the feed's declaration what its deliveries are, in a new version of it.

    It holds for what is judged from now on. Returns the file. Raises OSError where it cannot be
    written, ValueError where there is no line to put it below.
    """
    declared: Feed = load_feed(feed)
    place = declared.folder / "feed.yaml"
    lines = [
        line
        for line in place.read_text(encoding="utf-8").splitlines(keepends=True)
        if not line.startswith("deliveries:")
    ]
    at = next((n for n, line in enumerate(lines) if line.startswith(AFTER)), None)
    if at is None:
        raise ValueError(f"{place}: no line {AFTER}")
    lines.insert(at + 1, f"deliveries: {kind}\n")
    *_, last = declared.version.split(".")
    raised = f"{declared.version.removesuffix(last)}{int(last) + 1 if last.isdigit() else last}"
    text = re.sub(r"(?m)^version:.*$", f"version: {raised}", "".join(lines), count=1)
    half = place.with_name(f".{place.name}.half")
    half.write_text(text, encoding="utf-8")
    half.replace(place)
    return place

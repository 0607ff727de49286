"""The numbers as tables in Markdown, with the facts of the machine that they come from.

Not here: measuring (`run.py`, `drive.py`).
"""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterator
from typing import Any

from benchmarks.load.run import MB, Memory

PHASES = {
    "sign_in": "everybody signs in, 20 at a time",
    "asking": "the large extract is asked for and made",
    "first": "one person of each role, every page for the first time",
    "idle": "one person of each role, nobody else",
    "browsing": "{people} browse",
    "paced": "{people} browse, {downloads} download at {pace} MB/s each",
    "burst": "{people} browse, {downloads} download as fast as it comes",
    "after": "{people} browse, downloads over",
}
WHOLE = "WHOLE "
HEAD = """# The portal under load

Written by `make load`. `passerelle serve --no-dagster` on one machine, which also makes the load:
one portal process and its two workers, SQLite, the shipped limits of requests, every person from
one address. Each person browses the pages of their role with 4 to 12 seconds between two pages;
those who download are others, of one organisation, and each checks the SHA-256 of what came. An
answer that is not the page (a 429 and a 503 too) is a fault. Times in milliseconds.
"""


def faults(told: dict[str, Any]) -> list[str]:
    """What was not answered as asked."""
    return [f"{name}: {line}" for name in PHASES for line in told.get(name, {}).get("errors", ())]


def written(told: dict[str, Any], memory: Memory, people: int, downloads: int, pace: int) -> str:
    """The whole page."""
    words = {
        name: text.format(people=people, downloads=downloads, pace=pace / 1e6)
        for name, text in PHASES.items()
    }
    size = told["extract"]["bytes"]
    facts = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()} on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}. The extract: {size / 1e6:.0f} MB."
    )
    found = [one for one in PHASES if one in told]
    parts = [HEAD, facts, "", "## Phases", "", *_phases(told, found, words, memory), ""]
    parts += ["## Downloads", "", *_downloads(told, words, size, downloads), ""]
    parts += ["## Pages: p50 / p95 (number)", "", *_pages(told), ""]
    said = faults(told)
    parts += ["## Faults", "", *(said or ["None."]), ""]
    return "\n".join(parts)


def _phases(
    told: dict[str, Any], found: list[str], words: dict[str, str], memory: Memory
) -> Iterator[str]:
    yield "| phase | s | answers | a second | faults | p50 | p95 | CPU | portal MB | workers MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name in found:
        one = told[name]
        held = memory.between(one["began"], one["ended"])
        spans = [_span([pair[part] for pair in held]) for part in (0, 1)]
        yield (
            f"| {words[name]} | {one['seconds']:.0f} | {one['count']} | "
            f"{one['count'] / one['seconds']:.1f} | {one['faults']} | {_overall(one, 'p50')} | "
            f"{_overall(one, 'p95')} | {_cores(held, one['seconds'])} | {spans[0]} | {spans[1]} |"
        )


def _cores(held: list[tuple[int, int, float]], seconds: float) -> str:
    """How much of a core the portal's process used."""
    return f"{100 * (held[-1][2] - held[0][2]) / seconds:.0f} %" if held else "–"


def _span(held: list[int]) -> str:
    """From the first to the last, and the most."""
    if not held:
        return "–"
    return f"{held[0] / MB:.0f} → {held[-1] / MB:.0f}, at most {max(held) / MB:.0f}"


def _overall(one: dict[str, Any], what: str) -> str:
    return f"{one['all'][what]:.0f}"


def _downloads(
    told: dict[str, Any], words: dict[str, str], size: int, downloads: int
) -> Iterator[str]:
    yield "| phase | downloads | whole and right | seconds for all | MB a second | slowest, s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name in ("paced", "burst"):
        took = told[f"{name} downloads_s"]
        pages = told[name]["pages"]
        whole = next(one for key, one in pages.items() if key.startswith(WHOLE))
        wrong = next(one for key, one in pages.items() if key == "/extracts/…/file")["faults"]
        yield (
            f"| {words[name]} | {downloads} | {whole['count'] - wrong} | {took:.0f} | "
            f"{size * downloads / took / 1e6:.0f} | {whole['most'] / 1000:.0f} |"
        )


def _pages(told: dict[str, Any]) -> Iterator[str]:
    shown = ("idle", "browsing", "paced", "burst")
    names = sorted({name for phase in shown for name in told[phase]["pages"]})
    yield f"| page | {' | '.join(shown)} |"
    yield f"|---|{'---:|' * len(shown)}"
    for name in names:
        if name.startswith(WHOLE) or name.endswith("/file"):
            continue
        yield f"| `{name}` | {' | '.join(_cell(told[one]['pages'].get(name)) for one in shown)} |"
    sign_in = told["sign_in"]["pages"].get("POST /sign-in")
    yield ""
    yield f"Signing in (`POST /sign-in`, argon2id): {_cell(sign_in)}."


def _cell(one: dict[str, Any] | None) -> str:
    return f"{one['p50']:.0f} / {one['p95']:.0f} ({one['count']})" if one else "–"

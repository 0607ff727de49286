"""The handling marking of an extract: the strictest of its rows, in words, and as a TLP word.

Not here: how a single row came by its handling (feeds, contracts) and which levels may leave
(agreements).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipelines.core.i18n import translator
from schemas.codelist import load_codelist
from schemas.text import Bilingual, Language

LIST = "handling_levels"


@dataclass(frozen=True)
class Marking:
    """One level: its code, its words, its word in the Traffic Light Protocol, its rank."""

    level: str
    label: Bilingual
    tlp: str
    rank: int

    def line(self, recipient: Bilingual | None, language: Language) -> str:
        """What stands at the head of every sheet and page; no recipient means everybody."""
        _ = translator(language)
        if recipient is None:
            return f"{self.label[language].upper()} ({self.tlp})"
        return _(
            "{level} ({tlp}) – for {recipient} only",
            level=self.label[language].upper(),
            tlp=self.tlp,
            recipient=recipient[language],
        )


def levels() -> dict[str, Marking]:
    """Every level by its code."""
    return {
        row["code"]: Marking(
            level=row["code"],
            label=Bilingual(en=row["label_en"], fr=row["label_fr"]),
            tlp=row["tlp"],
            rank=int(row["rank"]),
        )
        for row in load_codelist(LIST)
    }


def cleared() -> Marking:
    """What an agreement gives to the public: counts, with the small ones hidden."""
    return replace(min(levels().values(), key=lambda one: one.rank), tlp="TLP:CLEAR")


def strictest(codes: Iterable[str | None]) -> Marking:
    """The highest level among `codes`; an unknown or absent one counts as the highest there is."""
    known = levels()
    highest = max(known.values(), key=lambda one: one.rank)
    found = [known.get(code or "", highest) for code in codes]
    return max(found, key=lambda one: one.rank, default=highest)

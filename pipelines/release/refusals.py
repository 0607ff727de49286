"""Why an extract is refused: coded sentences in both languages, each with what to do.

Not here: deciding (`permits.py`, `records.py` and their neighbours) and stops of the command line.

REL-1xx: a request that cannot be granted. A code is never reused; a case of a code has words of
its own. Values may be plain, lists, or words in both languages.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pipelines.core.i18n import mark, translator
from schemas.text import Bilingual, Language

if TYPE_CHECKING:
    from pipelines.release.disclosure.conflict import Conflict

SENTENCES: dict[str, str] = {
    "REL-101": mark("There is no organisation “{recipient}”, so nothing can be given to it."),
    "REL-102": mark("There is no purpose “{purpose}”; there are: {known}."),
    "REL-103": mark("There is no table “{table}” that is shared; there are: {known}."),
    "REL-104": mark("The table {table} has no column “{column}”."),
    "REL-105": mark("No clause of any agreement gives {table} to {recipient}."),
    "REL-105 purpose": mark(
        "No clause gives {table} to {recipient} for this purpose ({purpose}); clauses exist for: "
        "{known}."
    ),
    "REL-105 form": mark(
        "No clause gives {table} to {recipient} in this form ({form}); there are clauses for: "
        "{known}."
    ),
    "REL-105 expired": mark(
        "The clause that gave {table} to {recipient}, {clause}, ended on {day}."
    ),
    "REL-105 not_yet": mark(
        "The clause that will give {table} to {recipient}, {clause}, begins on {day}."
    ),
    "REL-105 gone": mark("{recipient} does not exist on {day}, so nothing can be given to it."),
    "REL-105 due_diligence": mark(
        "The clause that gives {table} to {recipient}, {clause}, is closed: its human-rights "
        "review does not hold on {day}."
    ),
    "REL-106": mark("Nothing of what was asked may leave: {asked}."),
    "REL-107": mark(
        "Too few records are alike: after coarsening, no group reaches {k} records, so none leaves."
    ),
    "REL-107 across": mark(
        "No record lies wholly within what was asked. Others lie across it: too few were alike, so "
        "they are told more coarsely than the choice."
    ),
    "REL-108": mark(
        "Together with what was given or shown before, these counts would give away a number that "
        "is hidden."
    ),
    "REL-109": mark("{rows} rows are too many for the format {format}, which holds {limit}."),
    "REL-109 cell": mark(
        "A cell holds {length} characters; the format {format} holds {limit} at most."
    ),
    "REL-110": mark("“{name}” is not a dimension or measure that a clause opens; open: {known}."),
    "REL-111": mark("“{name}” is not known here; there are: {known}."),
    "REL-112": mark("The period ends ({until}) before it begins ({since})."),
    "REL-113": mark("“{name}” is not a code of the list {list}."),
    "REL-114": mark("Nothing is published yet, so nothing can be extracted."),
    "REL-114 outdated": mark(
        "The tables are of an older contract, so nothing can be extracted from them."
    ),
    "REL-115": mark("The format {format} needs a position, and no clause opens one."),
    "REL-116": mark("{cells} counts at once are more than can be checked for what they give away."),
    "REL-117": mark("{day} is still to come; the delays of the clauses are counted from a day."),
    "REL-118": mark(
        "Beside all that was given or shown before, these counts are more than can be checked for "
        "what they give away."
    ),
    "REL-120": mark("No refused counts with the reference {reference} wait for your organisation."),
    "REL-121": mark("A consent holds from today for a time: until a day from {first} to {last}."),
    "REL-122": mark("Say why in {shortest} to {longest} characters, without a name of a person."),
    "REL-123": mark("Your organisation has no consent {reference} that stands."),
    "REL-124": mark(
        "That period lies outside of what is given: the agreements give the months from {first} to "
        "{last}."
    ),
    "REL-125": mark(
        "Nothing of this choice is given under the agreements: either there is none, or none may "
        "leave; which of the two is not told."
    ),
    "REL-126": mark("This installation cannot write the format {format}: a package is missing."),
}
HINTS: dict[str, str] = {
    "REL-105": mark("Ask the provider for an agreement, or choose another table or purpose."),
    "REL-105 expired": mark("Its parties can renew it; until then nothing leaves by it."),
    "REL-105 not_yet": mark("Ask again from that day on."),
    "REL-105 due_diligence": mark("The mission’s human-rights component renews the review."),
    "REL-106": mark("Leave the choice of columns open to get all that is permitted."),
    "REL-107": mark("Ask for a longer period or a larger area, or for counts."),
    "REL-108": mark(
        "Ask for a coarser form that passes, or have the providers of the data consent in writing."
    ),
    "REL-107 across": mark(
        "Ask for whole months, for a whole country or for a whole section of offences, or for all."
    ),
    "REL-109": mark("Choose CSV or Parquet, or a shorter period."),
    "REL-114 outdated": mark("Whoever runs this installation brings them up to date first."),
    "REL-115": mark("Choose CSV, XLSX or Parquet."),
    "REL-117": mark("Leave the day out, or give {last} or an earlier day."),
    "REL-116": mark("Ask for fewer dimensions, or for longer periods."),
    "REL-118": mark(
        "Ask for fewer dimensions, or for longer periods, or have the providers of the data "
        "consent in writing."
    ),
    "REL-124": mark(
        "Check the dates, the year first. The latest months are given once their delay is over."
    ),
    "REL-125": mark("Ask for a longer period, for more areas, or for all offences."),
    "REL-126": mark(
        "Choose GeoJSON, which holds the same points, or have whoever runs the installation add "
        "the package: {extra}."
    ),
    "REL-120": mark("“passerelle consent list” shows those that do."),
}


class ReleaseRefused(Exception):  # noqa: N818  (an answer to a request, not a failure)
    """A request for an extract that is not granted.

    `conflict` says of counts refused beside earlier ones what stands in the way and what passes.
    """

    conflict: Conflict | None = None

    def __init__(self, code: str, case: str = "", **values: Any) -> None:
        """Keep the code, its case and the values of its sentence; the message is English."""
        self.code, self.case, self.values = code, case, values
        super().__init__(f"{code}: {self.text('en')}")

    def text(self, language: Language) -> str:
        """Why, in one sentence."""
        return self._say(SENTENCES, language)

    def hint(self, language: Language) -> str:
        """What to do; empty where the sentence says it."""
        return self._say(HINTS, language)

    def _say(self, sentences: dict[str, str], language: Language) -> str:
        key = f"{self.code} {self.case}".strip()
        sentence = sentences.get(key) or sentences.get(self.code, "")
        if not sentence:
            return ""
        values = {name: said(value, language) for name, value in self.values.items()}
        return translator(language)(sentence, **values)


def said(value: Any, language: Language) -> str:
    """A value as words: lists joined, words in the language, dates as they are written."""
    if isinstance(value, Bilingual):
        return value[language]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(said(one, language) for one in value)
    return str(value)

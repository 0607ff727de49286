"""The data dictionary as people search it: by a column, by its words, by a source's own words.

It reads declarations only, so it works before anything is published. Case, accents and punctuation
do not count. A name found exactly comes before one that begins so, then whole words, then parts of
words; what something is called comes before what is said about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from schemas.codelist import codelist_names, find_codes, load_codelist
from schemas.contract import Column, Contract, Rule, coded_columns, load_contract, table_names
from schemas.feed import Feed, load_feeds
from schemas.text import Bilingual, fold

MOST_HITS = 60
SHORTEST_PART = 3  # of a word; shorter texts are found only as a name or a whole word
Why = Literal["name", "label", "source", "code", "list", "tag", "description"]
# What something is called before what is said about it.
ORDER: dict[Why, int] = dict(
    zip(("name", "label", "source", "list", "code", "tag", "description"), range(7), strict=True)
)
EXACT, PREFIX, WORD, PART, ALL_WORDS = range(5)


@dataclass(frozen=True)
class SourceUse:
    """A column of a source and what became of it; `reason` says why it is not taken over."""

    feed: str
    title: Bilingual
    source_column: str
    reason: Bilingual | None = None


@dataclass(frozen=True)
class Found:
    """One table, column or ignored source column that a search led to, and what led there.

    `column` is empty for a table, `contract` None for a source column that no table holds.
    """

    contract: Contract | None
    column: Column | None
    why: Why
    matched: str
    feeds: tuple[SourceUse, ...] = ()
    rank: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Results:
    """What a search found, best first, or what else might have been meant."""

    hits: list[Found]
    total: int
    suggestions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Phrase:
    """Something that can be searched for: its words as said and as compared."""

    why: Why
    said: str
    folded: str
    contract: Contract | None
    column: Column | None
    use: SourceUse | None = None


def search(asked: str, table: str = "", most: int = MOST_HITS) -> Results:
    """What `asked` leads to, each column once with the best reason; in one table if it is given."""
    words = fold(asked)
    if not words:
        return Results([], 0)
    best: dict[tuple[str, str], Found] = {}
    for place, phrase in enumerate(_phrases()):
        if table and (phrase.contract is None or phrase.contract.table != table):
            continue
        grade = _grade(words, phrase)
        if grade is not None:
            _keep(best, phrase, (grade, ORDER[phrase.why], place))
    hits = sorted(best.values(), key=lambda found: found.rank)
    suggestions = [] if hits else _close(words, table)
    return Results(hits[:most], len(hits), suggestions)


def _grade(words: str, phrase: _Phrase) -> int | None:
    """How well a phrase answers; None where it does not. Descriptions answer by whole words."""
    folded = phrase.folded
    if phrase.why == "description":
        return WORD if f" {words} " in f" {folded} " else None
    if folded == words:
        return EXACT
    if folded.startswith(words):
        return PREFIX
    if f" {words} " in f" {folded} ":
        return WORD
    if len(words) >= SHORTEST_PART and words in folded:
        return PART
    parts = words.split()
    if len(parts) > 1 and set(parts) <= set(folded.split()):
        return ALL_WORDS
    return None


def _keep(best: dict[tuple[str, str], Found], phrase: _Phrase, rank: tuple[int, int, int]) -> None:
    """Take a hit in, if it is the column's best so far; source columns add their feed to it."""
    table = phrase.contract.table if phrase.contract else ""
    name = phrase.column.name if phrase.column else ("" if phrase.contract else phrase.said)
    earlier = best.get((table, name))
    uses = (phrase.use,) if phrase.use else ()
    if earlier is None or rank < earlier.rank:
        is_same = earlier is not None and earlier.why == phrase.why == "source"
        uses = (*uses, *earlier.feeds) if earlier and is_same else uses
        best[table, name] = Found(
            phrase.contract, phrase.column, phrase.why, phrase.said, uses, rank
        )
    elif earlier.why == phrase.why == "source" and uses and uses[0] not in earlier.feeds:
        best[table, name] = replace(earlier, feeds=(*earlier.feeds, *uses))


def _close(words: str, table: str) -> list[str]:
    """What else may have been meant: the nearest names, at most three."""
    said = {
        phrase.folded: phrase.said
        for phrase in reversed(_phrases())
        if phrase.why in ("name", "label", "source", "code")
        and (not table or (phrase.contract and phrase.contract.table == table))
    }
    single = {word: word for folded in said for word in folded.split() if len(word) > SHORTEST_PART}
    near = difflib.get_close_matches(words, said, 3, 0.72)
    for word in sorted(words.split(), key=len, reverse=True)[:3]:
        near += [] if near else difflib.get_close_matches(word, single, 3, 0.8)
    return list(dict.fromkeys(said.get(one, one) for one in near))


@cache
def _phrases() -> tuple[_Phrase, ...]:
    """Everything that can be searched for, in the order of the tables and their columns."""
    return tuple(_all_phrases())


def _all_phrases() -> Iterator[_Phrase]:
    for table in table_names():
        contract = load_contract(table)
        yield from _named(contract, None, "name", table, table.replace("_", " "))
        yield from _named(contract, None, "label", contract.title.en, contract.title.fr)
        for column in contract.published:
            yield from _named(contract, column, "name", column.name)
            yield from _named(contract, column, "label", column.label.en, column.label.fr)
            if column.hxl:
                yield from _named(contract, column, "tag", column.hxl)
            yield from _source_phrases(contract, column)
            if column.codelist:
                yield from _code_phrases(contract, column)
            yield from _named(
                contract, column, "description", column.description.en, column.description.fr
            )
    for use in _ignored():
        yield _Phrase("source", use.source_column, fold(use.source_column), None, None, use)


def _named(contract: Contract, column: Column | None, why: Why, *texts: str) -> Iterator[_Phrase]:
    for text in dict.fromkeys(texts):
        yield _Phrase(why, text, fold(text), contract, column)


def _source_phrases(contract: Contract, column: Column) -> Iterator[_Phrase]:
    """The source columns that fill a column, and the source's own words for its codes."""
    for use in source_uses(contract.table, column.name):
        yield _Phrase("source", use.source_column, fold(use.source_column), contract, column, use)
    for feed in _feeds():
        mapping = feed.map.get(column.name)
        if feed.table == contract.table and mapping and mapping.crosswalk:
            for row in feed.crosswalk(mapping.crosswalk):
                said = row["source_value"]
                yield _Phrase("code", said, fold(said), contract, column)


def _code_phrases(contract: Contract, column: Column) -> Iterator[_Phrase]:
    listed = column.codelist
    yield _Phrase("list", listed, fold(listed), contract, column)
    if listed not in codelist_names():
        return
    for row in load_codelist(listed):
        aliases = (row.get("aliases") or "").split("|")
        for word in dict.fromkeys((row["label_en"], row["label_fr"], *aliases, row["code"])):
            if word:
                yield _Phrase("code", word, fold(word), contract, column)


@cache
def _feeds() -> tuple[Feed, ...]:
    return tuple(load_feeds())


@cache
def source_uses(table: str, column: str) -> tuple[SourceUse, ...]:
    """Which columns of which feeds fill a column; a position fills both coordinates."""
    roles = load_contract(table).roles
    filling = {column, roles.position} if column in roles.point else {column}
    return tuple(
        SourceUse(feed.feed, feed.title, source)
        for feed in _feeds()
        if feed.table == table
        for target, mapping in feed.map.items()
        if target in filling
        for source in mapping.source
    )


@cache
def _ignored() -> tuple[SourceUse, ...]:
    return tuple(
        SourceUse(feed.feed, feed.title, source, reason)
        for feed in _feeds()
        for source, reason in feed.ignore.items()
    )


def column_of(table: str, name: str) -> tuple[Contract, Column]:
    """A published column and its table. Raises KeyError for one that is not declared."""
    if table not in table_names():
        raise KeyError(table)
    contract = load_contract(table)
    column = contract.column(name)
    if not column.is_published:
        raise KeyError(name)
    return contract, column


def rules_about(contract: Contract, column: Column) -> list[Rule]:
    """The rules that blame a column, in the order of their codes."""
    return sorted(
        (r for r in (*contract.rules, *contract.lake_rules) if r.column == column.name),
        key=lambda r: r.code,
    )


@dataclass(frozen=True)
class Codes:
    """One page of a code list: its rows as text; a page beyond the last is the last."""

    name: str
    rows: list[dict[str, str]]
    total: int
    page: int
    pages: int
    used_by: list[tuple[str, str]]


def codes_of(name: str, asked: str = "", page: int = 1, size: int = 50) -> Codes:
    """A code list, or those of its codes whose words hold `asked`. Raises KeyError."""
    rows = find_codes(name, asked)
    pages = max(1, -(-len(rows) // size))
    page = min(max(page, 1), pages)
    shown = rows[(page - 1) * size : page * size]
    return Codes(name, shown, len(rows), page, pages, coded_columns(name))

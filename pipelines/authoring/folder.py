"""What a feed's folder shows by itself: targets, crosswalks, names, the families of rules covered.

Not here: what its examples do when they run (`check.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipelines.core.i18n import Translator
from schemas.codelist import codes
from schemas.contract import Column, Contract, all_rules, load_contract, table_names
from schemas.feed import Feed, Mapping
from schemas.text import read_csv

FAMILIES = ("1xx", "2xx", "3xx", "4xx", "5xx", "6xx")
TRUTHS = ("true", "false")


def folder_problems(feed: Feed, _: Translator) -> list[str]:
    """Sentences on everything in the folder that cannot be right, or that is missing."""
    if feed.table not in table_names("data"):
        return [_("There is no table {table}.", table=feed.table)]
    contract = load_contract(feed.table)
    return [
        *_names(feed, _),
        *_targets(feed, contract, _),
        *_crosswalks(feed, contract, _),
        *_files(feed, _),
    ]


def _names(feed: Feed, _: Translator) -> Iterator[str]:
    if feed.feed != feed.folder.name:
        yield _(
            "The feed is called {feed}, its folder {folder}.",
            feed=feed.feed,
            folder=feed.folder.name,
        )
    for codelist, code in (("sources", feed.source), ("handling_levels", feed.handling)):
        if code not in codes(codelist):
            yield _("{code} is not in the list {codelist}.", code=code, codelist=codelist)
    said_of = [("title", feed.title), ("notes", feed.notes)]
    said_of += [*feed.ignore.items(), *feed.no_counterexample.items()]
    for place, said in said_of:
        if said and not (said.en.strip() and said.fr.strip()):
            yield _("The words for “{place}” are missing in one of the languages.", place=place)
    for column in sorted(set(feed.mapped_columns) & set(feed.ignore)):
        yield _("The source column {column} is mapped and ignored at once.", column=column)


def _targets(feed: Feed, contract: Contract, _: Translator) -> Iterator[str]:
    known = {column.name: column for column in contract.columns}
    for target, mapping in feed.map.items():
        column = known.get(target)
        if column is None:
            yield _("{column} is no column of {table}.", column=target, table=feed.table)
        elif column.filled_by not in ("feed", "input"):
            yield _("{column} is not for feeds to fill.", column=target)
        elif mapping.optional and column.is_required:
            yield _("{column} is always filled: it cannot be optional.", column=target)
        elif column.codelist and mapping.value not in (None, *codes(column.codelist)):
            yield _(
                "{code} is not in the list {codelist}.",
                code=mapping.value,
                codelist=column.codelist,
            )
    given = {"source", "handling", *feed.map}  # the first two by the declaration itself
    for column in contract.columns_filled_by("feed"):
        if column.is_required and column.name not in given:
            yield _("{column} is required and not mapped.", column=column.name)


def _crosswalks(feed: Feed, contract: Contract, _: Translator) -> Iterator[str]:
    known = {column.name: column for column in contract.columns}
    used: set[str] = set()
    for target, mapping in feed.map.items():
        if mapping.crosswalk and target in known:
            used.add(mapping.crosswalk)
            yield from _crosswalk(feed, mapping, known[target], _)
    for path in sorted((feed.folder / "crosswalks").glob("*")):
        if path.stem not in used:
            yield _("No mapping uses {file}.", file=f"crosswalks/{path.name}")


def _crosswalk(feed: Feed, mapping: Mapping, column: Column, _: Translator) -> Iterator[str]:
    file = f"crosswalks/{mapping.crosswalk}.csv"
    path = feed.folder / file
    if not path.is_file():
        yield _("{file} is missing.", file=file)
        return
    rows = read_csv(path)
    if not rows or not {"source_value", "code"} <= set(rows[0]):
        yield _("{file} needs the columns source_value and code.", file=file)
        return
    valid = set(codes(column.codelist)) if column.codelist else set(TRUTHS)
    for code in sorted({row["code"] for row in rows} - valid):
        list_name = column.codelist or "true, false"
        yield _("{file}: {code} is not in {codelist}.", file=file, code=code, codelist=list_name)
    words = [row["source_value"].casefold().strip() for row in rows]
    for word in sorted({word for word in words if words.count(word) > 1}):
        yield _("{file}: {word} stands there twice.", file=file, word=word)


def _files(feed: Feed, _: Translator) -> Iterator[str]:
    examples, counterexamples = feed.examples(), feed.counterexamples()
    for layout in feed.file:
        if not any(_fits(path, layout.format, layout.name) for path in examples):
            yield _("There is no example of the layout {layout}.", layout=layout.format)
    for path, code in counterexamples.items():
        if code not in all_rules():
            yield _("{file} does not begin with a rule code.", file=path.name)
    for family in untested_families(feed):
        if family not in feed.no_counterexample:
            yield _(
                "There is no counterexample of a rule {family}, and no reason why in "
                "no_counterexample.",
                family=family,
            )
    for path in sorted(feed.folder.rglob("*.py")):
        yield _("A feed has no Python: {file}.", file=str(path.relative_to(feed.folder)))


def untested_families(feed: Feed) -> list[str]:
    """The families of rules of which the feed has no counterexample, with a reason or without."""
    covered = {f"{code.partition('-')[2][:1]}xx" for code in feed.counterexamples().values()}
    return [family for family in FAMILIES if family not in covered]


def _fits(path: Path, file_format: str, pattern: str) -> bool:
    from fnmatch import fnmatch

    return fnmatch(path.name.lower(), pattern.lower()) or path.suffix[1:].lower() == file_format

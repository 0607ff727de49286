"""Propose a feed.yaml from a sample: what could be guessed, with every doubt marked `# ?`.

Not here: the guesses themselves (`sniff`, `values`, `vocabulary`, `match`) and checking (`check`).

The text loads as a feed at once. A person then answers the doubts, moves what was ignored too
early, writes the crosswalks that are asked for, and adds examples and counterexamples.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from pipelines.authoring.match import Match, Matcher, Matches
from pipelines.authoring.sample import Sample, open_sample
from pipelines.authoring.sniff import LayoutGuess, sniff
from pipelines.landing.columns import SHEET_COLUMN
from schemas.contract import Contract, load_contract, table_names

LAYOUT_KEYS = (
    *("format", "name", "encoding", "delimiter", "header_rows", "sheets", "with_sheet_column"),
    *("records", "hxl_row"),
)
DEFAULTS = {"hxl_row": "never", "header_rows": [1], "delimiter": ",", "encoding": "utf-8"}
REASONS = {
    "name": ("personal data, never read", "donnée personnelle, jamais lue"),
    "narrative": ("free text, may name people", "texte libre, peut nommer des personnes"),
    "biometric": ("personal data, never read", "donnée personnelle, jamais lue"),
    "internal": ("technical, of no use to others", "technique, sans intérêt pour d'autres"),
    "derived": ("follows from another column", "se déduit d'une autre colonne"),
    "": ("not matched with any column", "rapproché d'aucune colonne"),
}


def propose_feed(sample: Path, table: str, name: str = "") -> str:
    """The text of a feed.yaml that reads `sample` into `table`; doubts follow `# ?`.

    `name` is that of its folder, which the feed bears.

    Raises KeyError for a table that is not declared, DeliveryError for a file that cannot be read
    in any layout that we know.
    """
    if table not in table_names("data"):
        raise KeyError(table)
    contract = load_contract(table)
    sniffed = sniff(sample)
    is_workbook = sniffed.layout["format"] == "xlsx"
    with open_sample(sample, sniffed, table) as opened:
        matches = Matcher(opened, contract, is_workbook=is_workbook).match()
        if SHEET_COLUMN in matches.unmatched:
            sniffed.layout.pop("with_sheet_column", None)
        lines = [
            *_head(sample, contract, matches, name or f"new_{contract.table}"),
            *_layout(sniffed),
            *_texts(opened, contract, matches),
            *_mapping(contract, matches),
            *_ignored(matches),
        ]
    return "\n".join(lines) + "\n"


def _head(sample: Path, contract: Contract, matches: Matches, name: str) -> list[str]:
    languages = [match.language for match in matches.targets.values() if match.language]
    is_french = languages and languages.count("fr") >= languages.count("en")
    language = "fr" if is_french else "en"
    title = sample.stem.replace("_", " ")
    return [
        f"# Proposed from {sample.name}. Every doubt is marked: look for “# ?”.",
        f"feed: {name}  # ? <iso3>_<agency>_<dataset>, as the folder",
        "version: 0.1.0",
        f"table: {contract.table}",
        "source: unknown  # ? a code of schemas/codelists/sources.csv",
        "status: illustrative  # ? illustrative, official or public",
        f"title: {{en: {_scalar(title)}, fr: {_scalar(title)}}}  # ? in both languages",
        f"language: {language}  # ? of the messages sent back",
        "handling: CONFIDENTIAL  # ? a code of schemas/codelists/handling_levels.csv",
        "expected_every_days: 7  # ? how often a delivery is expected",
        # Nothing in one file tells: a person has to say, or whoever sends a file is asked.
        "# deliveries: register  # ? register (the book as of a day) or correction (a later",
        "#   statement about some rows)? Without this line the sender is asked, where it matters",
        "",
    ]


def _layout(sniffed: LayoutGuess) -> list[str]:
    lines = ["file:"]
    for key in LAYOUT_KEYS:
        value = sniffed.layout.get(key)
        if value is None or (DEFAULTS.get(key) == value and key not in sniffed.doubts):
            continue
        doubt = f"  # ? {sniffed.doubts[key]}" if key in sniffed.doubts else ""
        lines.append(f"  {key}: {_scalar(value)}{doubt}")
    return lines


def _texts(sample: Sample, contract: Contract, matches: Matches) -> list[str]:
    """Words for no value, rows that are no data, the decimal sign."""
    lines = [f"blank: {_scalar(['', *sample.blanks])}"]
    if sample.totals:
        lines.append(
            f'skip_rows: [{{column: {_scalar(sample.totals)}, matches: "(?i)^total"}}]'
            "  # ? rows that are sums, not records"
        )
    if (doubt := _decimal_comma(sample, contract, matches)) is not None:
        lines.append(f'decimal: ","{doubt}')
    return [*lines, ""]


def _decimal_comma(sample: Sample, contract: Contract, matches: Matches) -> str | None:
    """A comment for the decimal comma; None where numbers have a point."""
    numbers = {c.name for c in contract.columns if c.duckdb_type == "DOUBLE"}
    shares = [
        sample.share(r"regexp_full_match(text, '[+-]?\d+,\d+')", sample.filled(source))
        for target, match in matches.targets.items()
        if target in numbers
        for source in match.sources
    ]
    if not shares or max(shares) == 0:
        return None
    return "" if max(shares) > 0.5 else "  # ? a few numbers only have a comma"


def _mapping(contract: Contract, matches: Matches) -> list[str]:
    lines = ["map:"]
    for target, match in matches.targets.items():
        doubts = f"  # ? {'; '.join(match.doubts)}" if match.doubts else ""
        lines.append(f"  {target}: {_options(match)}{doubts}")
    given = {"source", "handling", *matches.targets}
    needed = [
        column.name
        for column in contract.columns_filled_by("feed")
        if column.is_required and column.name not in given
    ]
    needed += [c for c in _wanted(contract) if c not in given]
    missing = dict.fromkeys(needed)
    lines += [f"  # ? {target}: no column of the sample fills it" for target in missing]
    return [*lines, ""]


def _wanted(contract: Contract) -> list[str]:
    """The columns that every row must have by an error rule of the family 1xx, if plainly so."""
    return [
        rule.column
        for rule in contract.rules
        if rule.severity == "error" and rule.code.partition("-")[2].startswith("1")
    ]


def _options(match: Match) -> str:
    items: dict[str, Any] = {}
    if match.sources:
        items["from"] = match.sources[0] if len(match.sources) == 1 else list(match.sources)
    items |= match.options
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in items.items()) + "}"


def _ignored(matches: Matches) -> list[str]:
    listed = [(heading, why) for heading, why in matches.ignored.items()]
    listed += [(heading, "") for heading in matches.unmatched if heading != SHEET_COLUMN]
    if not listed:
        return []
    lines = ["ignore:"]
    for heading, why in listed:
        english, french = REASONS[why]
        doubt = "" if why else "  # ? unmatched: does it fill anything?"
        lines.append(
            f"  {_scalar(heading)}: {{en: {_scalar(english)}, fr: {_scalar(french)}}}{doubt}"
        )
    return lines


def _scalar(value: Any) -> str:
    """A value as YAML in one line, quoted where it must be."""
    if isinstance(value, list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if isinstance(value, str) and (not _is_plain(text)):
        return json.dumps(text, ensure_ascii=False)
    return text


def _is_plain(text: str) -> bool:
    """True for a text that YAML reads as itself, inside a flow mapping too."""
    if (
        not text
        or any(mark in text for mark in "{}[],:#&*!|>'\"%@`\\\t\n?")
        or text != text.strip()
    ):
        return False
    loaded = yaml.safe_load(text)
    return isinstance(loaded, str) and loaded == text

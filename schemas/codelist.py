"""The reader of the code lists (`schemas/codelists/*.csv`): codes, words, aliases, validity.

Not here: how a source's own words reach a code (a feed's crosswalk) and loaded gazetteers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from schemas.text import FOLDER, Language, fold, read_csv

CODELISTS_FOLDER = FOLDER / "codelists"


def codelist_path(name: str) -> Path:
    """Where the list is kept. Raises KeyError for a list that is not declared."""
    path = CODELISTS_FOLDER / f"{name}.csv"
    if not path.is_file():
        raise KeyError(name)
    return path


def codelist_names() -> list[str]:
    """The declared lists, by name."""
    return sorted(
        path.stem for path in CODELISTS_FOLDER.glob("*.csv") if "outlines" not in path.stem
    )


@cache
def load_codelist(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a list as text, in the order of the file. Raises KeyError."""
    return tuple(read_csv(codelist_path(name)))


@cache
def outermost(name: str) -> dict[str, str]:
    """By each code, the code of level 1 that holds it; empty for a list that has no levels.

    Raises KeyError.
    """
    rows = {row["code"]: row for row in load_codelist(name)}
    if not all(row.get("level") for row in rows.values()):
        return {}

    def above(code: str) -> str:
        row = rows[code]
        return code if row["level"] == "1" or not row["parent"] else above(row["parent"])

    return {code: above(code) for code in rows}


def codes(name: str) -> list[str]:
    """Just the codes of a list, in the order of the file; expired ones are among them."""
    return [row["code"] for row in load_codelist(name)]


@cache
def labels(name: str, language: Language) -> dict[str, str]:
    """What each code of a list is called. Raises KeyError for what is no list."""
    return {row["code"]: row[f"label_{language}"] for row in load_codelist(name)}


def aliases(row: dict[str, str]) -> list[str]:
    """The other words by which a code of a list is known."""
    return [word for word in row.get("aliases", "").split("|") if word]


def find_codes(name: str, asked: str = "") -> list[dict[str, str]]:
    """The rows of a list whose code, words or aliases hold `asked`, whatever its case and accents.

    Raises KeyError for what is no list.
    """
    if name not in codelist_names():
        raise KeyError(name)
    words = fold(asked)
    return [row for row in load_codelist(name) if words in _words_of(row)]


def _words_of(row: dict[str, str]) -> str:
    return fold(" ".join((row["code"], row["label_en"], row["label_fr"], *aliases(row))))

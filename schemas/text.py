"""Words and numbers in two languages, signs that may be shown, and the reading of YAML and CSV.

Not here: what the declarations mean (contract, codelist, feed) and the words of the program itself.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from unicodedata import category, combining, normalize

import yaml
from pydantic import BaseModel, ConfigDict

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")
FOLDER = Path(__file__).parent
NARROW_NO_BREAK_SPACE = "\u202f"
LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Bilingual(BaseModel):
    """The same words in both working languages; both are required."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    fr: str

    def __getitem__(self, language: str) -> str:
        """The words in `language`; English for a language that we do not speak."""
        return self.fr if language == "fr" else self.en


def in_words(value: Any, language: Language) -> str:
    """A value as words: lists joined, words in the language, dates as they are written."""
    if isinstance(value, Bilingual):
        return value[language]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(in_words(one, language) for one in value)
    return str(value)


def number(value: float, language: Language) -> str:
    """A number as the language writes it, its thousands set apart."""
    english = f"{value:,}"
    if language != "fr":
        return english
    return english.replace(",", NARROW_NO_BREAK_SPACE).replace(".", ",")


def joined(phrases: Iterable[str], language: Language) -> str:
    """Phrases that may hold commas, in one line."""
    return (f"{NARROW_NO_BREAK_SPACE}; " if language == "fr" else "; ").join(phrases)


def fold(text: str) -> str:
    """The text without case, accents and punctuation: `Nature des faits` = `NATURE DES FAITS`."""
    plain = normalize("NFKD", text)
    bare = "".join(sign for sign in plain if not combining(sign)).casefold()
    return re.sub(r"[\W_]+", " ", bare.replace("œ", "oe").replace("æ", "ae")).strip()


def printable(text: str, *, also: str = "") -> str:
    """Without signs that a terminal obeys or a database stumbles over; those in `also` may stay.

    Python counts the spaces by which French sets numbers and signs apart as not printable.
    """
    sound = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no sign
    return "".join(
        sign if sign.isprintable() or sign in also or category(sign) == "Zs" else "�"
        for sign in sound
    )


def read_yaml(path: Path) -> Any:
    """One YAML document; the C loader where PyYAML has it, since contracts are long."""
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=LOADER)  # noqa: S506  (both loaders are the safe ones)


def read_csv(path: Path) -> list[dict[str, str]]:
    """A small declared table as text; an absent cell is an empty string."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [{k: v or "" for k, v in row.items()} for row in csv.DictReader(stream)]

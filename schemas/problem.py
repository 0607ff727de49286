"""What can be wrong with a declaration: one coded problem, its words, and the place where it is.

The words of every code stand in `problems.csv`. Codes begin with AGR for agreements and with CON
for tables, rules and feeds: 1xx the form of a file, AGR-2xx and CON-2xx names, AGR-3xx a protection
that is missing, CON-3xx rules, AGR-4xx dates, CON-4xx what was before, AGR-5xx worth a second look,
CON-5xx feeds, CON-6xx the folders that hold them. A code is never reused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from schemas.text import FOLDER, Bilingual, Language, in_words, read_csv

PROBLEMS_FILE = FOLDER / "problems.csv"
LONGEST_SHOWN = 60  # of a wrong value

Level = Literal["error", "warning", "note"]


class Words(NamedTuple):
    """How bad a problem is, and its sentence in both languages, with `{…}` for its values."""

    level: Level
    text: Bilingual


@cache
def words() -> dict[str, Words]:
    """The words of every problem, by its code."""
    return {
        one["code"]: Words(cast(Level, one["level"]), Bilingual(en=one["en"], fr=one["fr"]))
        for one in read_csv(PROBLEMS_FILE)
    }


class Problem:
    """One thing that is wrong with a declaration, or worth a look."""

    code: str
    where: Any  # in words; each kind says how
    values: Mapping[str, Any]

    @property
    def level(self) -> Level:
        """An `error` makes what was declared unusable; the others do not."""
        return words()[self.code].level

    def sentence(self, language: Language) -> str:
        """What is wrong and what to do about it."""
        text = words()[self.code].text[language]
        return text.format(**{k: in_words(v, language) for k, v in self.values.items()})

    def text(self, language: Language = "en") -> str:
        """The place and the sentence."""
        return ": ".join(filter(None, (self.where, self.sentence(language))))

    def coded(self, language: Language) -> str:
        """The code, the place and the sentence."""
        return f"{self.code} {self.text(language)}"


@dataclass(frozen=True)
class AgreementProblem(Problem):
    """A problem of an agreement; `where` is `file.yaml:12: permits[0].rows` or `caf_minusca/P1`."""

    code: str
    where: str
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    loc: tuple[str | int, ...] = ()  # the path in the file


@dataclass(frozen=True)
class ContractProblem(Problem):
    """A problem of a table, a rule or a feed, with its file and its line."""

    code: str
    path: Path
    line: int
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def where(self) -> str:
        """`schemas/tables/incidents.yaml:47`, from the folder above `schemas`.

        Empty where it is no line that is wrong: the sentence then names the place.
        """
        if not self.line:
            return ""
        inside = self.path.is_relative_to(FOLDER.parent)
        path = self.path.relative_to(FOLDER.parent) if inside else self.path
        return f"{path.as_posix()}:{self.line}"

    def correction(self, language: Language = "en") -> str:
        """The sentence says it already."""
        del language
        return ""

    def coded(self, language: Language) -> str:
        """The file, the line, the code and the sentence."""
        colon = "\u00a0:" if language == "fr" else ":"
        coded = f"{self.code}{colon} {self.sentence(language)}"
        return ": ".join(filter(None, (self.where, coded)))


class DeclarationError(ValueError):
    """What was declared cannot be relied on; each problem names its place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems; the message is English, for logs."""
        self.problems: tuple[Any, ...] = tuple(problems)
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """Every problem, one a line."""
        return "\n".join(problem.coded(language) for problem in self.problems)

    def __reduce__(self) -> Any:
        """As it was, for a process that asked for it."""
        return type(self), (self.problems,)


class AgreementError(DeclarationError):
    """The agreements cannot be relied on."""

    problems: tuple[AgreementProblem, ...]


class ContractError(DeclarationError):
    """The tables, rules or feeds cannot be relied on."""

    problems: tuple[ContractProblem, ...]

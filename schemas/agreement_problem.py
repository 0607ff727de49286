"""One thing that is wrong with an agreement: its code, and where in the file it is.

Not here: its words (`agreement_words.py`) and the search for what is wrong in meaning
(`agreement_check.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from schemas.agreement_words import WORDS, Level
from schemas.lines import TYPES, known_keys, line_in
from schemas.text import Bilingual, Language

LONGEST_SHOWN = 60  # of a wrong value


@dataclass(frozen=True)
class AgreementProblem:
    """One thing that is wrong or worth a look: its code, where it is, and its words."""

    code: str
    where: str  # `file.yaml:12: permits[0].rows` or `caf_minusca/P1`
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    loc: tuple[str | int, ...] = ()  # the path in the file

    @property
    def level(self) -> Level:
        """An `error` makes the agreements unusable; the others do not."""
        return WORDS[self.code][0]

    def text(self, language: Language) -> str:
        """What is wrong and what to do about it, in one or two sentences."""
        words = WORDS[self.code][1 if language == "en" else 2]
        return words.format(**{k: _said(v, language) for k, v in self.values.items()})


class AgreementError(ValueError):
    """The agreements cannot be relied on; each problem names its file, its line and its field."""

    def __init__(self, problems: Iterable[AgreementProblem]) -> None:
        """Keep the problems; the message is English, for logs."""
        self.problems = tuple(problems)
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """Every problem, one a line."""
        return "\n".join(f"{p.code} {p.where}: {p.text(language)}" for p in self.problems)


def repeated_keys(path: Path) -> list[AgreementProblem]:
    """Keys that stand twice in one place: YAML keeps the last, and the first would be lost."""
    found: list[AgreementProblem] = []
    waiting = [yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)]
    met: set[int] = set()  # an anchor may be named many times, even within itself
    while waiting:
        node = waiting.pop()
        if id(node) in met:
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                waiting.append(value)
                if key.value in seen:
                    where = f"{path.name}:{key.start_mark.line + 1}: {key.value}"
                    found.append(AgreementProblem("AGR-113", where, {"key": key.value}))
                seen.add(key.value)
    return found


def structural(path: Path, errors: Sequence[Any], model: type[BaseModel]) -> list[AgreementProblem]:
    """What pydantic found, with the line of the file and what was expected there."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return [_structural(path, root, error, model) for error in errors]


def _structural(path: Path, root: Any, error: Any, model: type[BaseModel]) -> AgreementProblem:
    loc, kind = tuple(error["loc"]), error["type"]
    where = f"{path.name}:{line_in(root, loc)}: {dotted(loc)}"
    context = error.get("ctx", {})
    shown = str(error.get("input"))[:LONGEST_SHOWN]
    if kind == "extra_forbidden":
        known = known_keys(model, loc[:-1])
        nearest = get_close_matches(str(loc[-1]), known, 1)
        guess = nearest[0] if nearest else ""
        code = "AGR-106" if guess else "AGR-105"
        return AgreementProblem(code, where, {"key": loc[-1], "known": known, "guess": guess})
    if kind == "missing":
        return AgreementProblem("AGR-107", where, {"key": loc[-1]})
    if kind == "literal_error":
        return AgreementProblem("AGR-108", where, {"value": shown, "expected": context["expected"]})
    if kind == "string_pattern_mismatch":
        values = {"value": shown, "expected": context["pattern"]}
        return AgreementProblem("AGR-109", where, values)
    if kind in {"greater_than_equal", "less_than_equal"}:
        least = context.get("ge", context.get("le"))
        return AgreementProblem("AGR-110", where, {"value": shown, "least": least})
    if kind in {"too_short", "string_too_short"}:
        return AgreementProblem("AGR-111", where, {})
    expected = next((words for start, words in TYPES.items() if kind.startswith(start)), TYPES[""])
    return AgreementProblem("AGR-112", where, {"value": shown, "expected": expected})


def dotted(loc: Sequence[str | int]) -> str:
    """`permits[0].rows.areas`."""
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in loc).lstrip(".")


def _said(value: Any, language: Language) -> Any:
    if isinstance(value, Bilingual):
        return value[language]
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return value

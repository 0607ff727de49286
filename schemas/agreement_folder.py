"""Agreements as files: one or a folder is read, and what is wrong with the form has its line.

Not here: what an agreement says (`agreement.py`) and what is wrong in meaning
(`agreement_check.py`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.agreement import AGREEMENTS_FOLDER, Agreement
from schemas.agreement_check import problems
from schemas.lines import TYPES, known_keys, line_in
from schemas.problem import LONGEST_SHOWN, AgreementError, AgreementProblem
from schemas.text import read_yaml


def agreement_files(folder: Path = AGREEMENTS_FOLDER) -> list[Path]:
    """The files of a folder of agreements, by name."""
    return sorted(folder.glob("*.yaml"))


def fingerprint(folder: Path = AGREEMENTS_FOLDER) -> dict[str, tuple[str, str]]:
    """Agreement → its version and the SHA-256 of its file; a file that is not readable is `?`."""
    found = {}
    for path in agreement_files(folder):
        content = path.read_bytes()
        stated = re.search(rb"^version:\s*['\"]?([^\s'\"#]+)", content, re.MULTILINE)
        version = stated[1].decode("utf-8", "replace") if stated else "?"
        found[path.stem] = (version, hashlib.sha256(content).hexdigest())
    return found


def load_agreement(path: Path) -> Agreement:
    """The agreement of a file, whole in form; what its words mean is judged by `problems`.

    Raises AgreementError for a file that does not say what an agreement must say.
    """
    if not path.is_file():
        raise AgreementError([AgreementProblem("AGR-101", path.name, {"file": path.name})])
    return _load(path.resolve(), path.stat().st_mtime_ns, path.stat().st_size)


def load_agreements(folder: Path = AGREEMENTS_FOLDER) -> list[Agreement]:
    """The agreements of a folder, by name.

    Raises AgreementError with everything that is wrong where one of them cannot be relied on: a
    file that is half understood opens nothing, and hides no restriction.
    """
    if strays := sorted(folder.glob("*.yml")):
        raise AgreementError(AgreementProblem("AGR-114", one.name, {}) for one in strays)
    files = agreement_files(folder)
    stamps = tuple((p.resolve(), p.stat().st_mtime_ns, p.stat().st_size) for p in files)
    return list(_load_all(stamps))


@cache
def _load_all(stamps: tuple[tuple[Path, int, int], ...]) -> tuple[Agreement, ...]:
    loaded: list[Agreement] = []
    wrong: list[AgreementProblem] = []
    for path, _changed_ns, _size in stamps:
        try:
            loaded.append(load_agreement(path))
        except AgreementError as error:
            wrong += error.problems
    for agreement in loaded:
        others = [one for one in loaded if one is not agreement]
        wrong += [one for one in problems(agreement, others=others) if one.level == "error"]
    if wrong:
        raise AgreementError(wrong)
    return tuple(loaded)


@cache
def _load(path: Path, _changed_ns: int, _size: int) -> Agreement:
    try:
        raw = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        values = {"line": mark.line + 1 if mark else 1}
        raise AgreementError([AgreementProblem("AGR-102", path.name, values)]) from None
    if not isinstance(raw, dict):
        raise AgreementError([AgreementProblem("AGR-103", f"{path.name}:1", {})])
    if twice := _repeated_keys(path):
        raise AgreementError(twice)
    try:
        agreement = Agreement.model_validate(raw)
    except ValidationError as error:
        raise AgreementError(_structure(path, error.errors(), Agreement)) from None
    if agreement.agreement != path.stem:
        values = {"name": agreement.agreement, "expected": path.stem}
        raise AgreementError([AgreementProblem("AGR-104", f"{path.name}: agreement", values)])
    return agreement


def _repeated_keys(path: Path) -> list[AgreementProblem]:
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


def _structure(path: Path, errors: Sequence[Any], model: type[BaseModel]) -> list[AgreementProblem]:
    """What pydantic found, with the line of the file and what was expected there."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return [_form_problem(path, root, error, model) for error in errors]


def _form_problem(path: Path, root: Any, error: Any, model: type[BaseModel]) -> AgreementProblem:
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

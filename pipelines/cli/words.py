"""The words of the command line in the language of this call."""

from __future__ import annotations

import shlex
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pipelines.core.i18n import translator
from schemas import text
from schemas.text import Language

_LANGUAGE: ContextVar[Language] = ContextVar("language", default="en")


def use(language: Language) -> None:
    """Speak `language` from here on."""
    _LANGUAGE.set(language)


def language() -> Language:
    """The language in which this call speaks."""
    return _LANGUAGE.get()


def _(message: str, /, **values: Any) -> str:
    """An English sentence, with its named values, in the language of this call."""
    return translator(_LANGUAGE.get())(message, **values)


def counted(count: int, one: str, several: str, /, **values: Any) -> str:
    """Whichever of two marked sentences fits `count`, which it names; in French 0 is one too."""
    is_one = count == 1 if language() == "en" else count < 2
    return _(one if is_one else several, count=number(count), **values)


def number(count: int | None) -> str:
    """A count with its thousands set apart as the language does."""
    return "–" if count is None else text.number(count, language())


def quoted(path: Path | str) -> str:
    """A path as it stands in a command that can be copied and run."""
    return shlex.quote(str(path))


def listed(items: list[str]) -> str:
    """Names in a sentence: `a, b, c`."""
    return ", ".join(items)

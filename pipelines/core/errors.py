"""Errors that a person sees: a code, its words in two languages, what to do, and the answer.

Each part declares the words of its codes here, so that no code means two things. A code is never
reused. What is wrong with a declaration has its code and words in `schemas`, below this part, and
is made one of these by `coded`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from pipelines.core.i18n import translator
from schemas.problem import DeclarationError
from schemas.text import Language, in_words

NOT_UNDERSTOOD, REFUSED, UNREACHABLE, INTERNAL = 2, 3, 4, 5  # exit codes


@dataclass(frozen=True)
class Words:
    """What is said of a code: a marked sentence, and what to do where that does not say it.

    `http_status` is that of the code, where it is another than that of its kind of error.
    """

    sentence: str
    hint: str = ""
    http_status: int = 0


class Said(NamedTuple):
    """One coded sentence in one language."""

    code: str
    text: str
    hint: str


WORDS: dict[str, Words] = {}  # by the code; `code case` where a case of it has words of its own


def declare(words: Mapping[str, Words | str]) -> None:
    """Make the words of codes known. Raises ValueError for a code that has others."""
    for key, one in words.items():
        told = Words(one) if isinstance(one, str) else one
        if WORDS.setdefault(key, told) != told:
            raise ValueError(f"{key} means something else already")


class CodedError(Exception):
    """Something cannot be done, for a reason that has a code and a sentence for a person.

    `field` names the input that is wrong, `http_status` what the API answers (0: nobody who asks
    there can be the cause), `api_code` a code for programs where the own one is nothing to them.
    `is_ours` where the sentence is for those who run the installation alone.
    """

    kind_status: ClassVar[int] = 0
    kind_exit_code: ClassVar[int] = 0
    is_ours: ClassVar[bool] = False
    api_code: str = ""

    def __init__(self, code: str, case: str = "", *, field: str = "", **values: Any) -> None:
        """Keep the code, its case and the values of its sentence, to be said in any language."""
        super().__init__(code, case)
        self.code, self.case, self.field, self.values = code, case, field, values

    def __str__(self) -> str:
        """The code and the English sentence, for logs."""
        return f"{self.code}: {self.text('en')}"

    def __reduce__(self) -> tuple[Any, ...]:
        """As it was, for a process that asked for it."""
        return type(self).__new__, (type(self), *self.args), self.__dict__

    @property
    def words(self) -> Words:
        """What is declared of its case, else of its code. Raises KeyError where nothing is."""
        return WORDS.get(f"{self.code} {self.case}") or WORDS[self.code]

    @property
    def exit_code(self) -> int:
        """What a command ends with: the first digit of the code's number, unless its kind says."""
        return self.kind_exit_code or max(NOT_UNDERSTOOD, int(self.code.partition("-")[2][0]))

    @property
    def http_status(self) -> int:
        """The HTTP status of its code, else of its kind."""
        told = WORDS.get(f"{self.code} {self.case}") or WORDS.get(self.code)
        return (told.http_status if told else 0) or self.kind_status

    def text(self, language: Language = "en") -> str:
        """Why, in one or two sentences."""
        return self._say(self.words.sentence, language)

    def hint(self, language: Language = "en") -> str:
        """What to do; empty where the sentence says it."""
        hint = self.words.hint or (WORDS[self.code].hint if self.code in WORDS else "")
        return self._say(hint, language)

    def faults(self, language: Language) -> dict[str, str]:
        """What is wrong with each input; empty where it is not about one."""
        return {self.field: self.text(language)} if self.field else {}

    def said(self, language: Language) -> Sequence[Said]:
        """Each thing that is wrong; most errors say one."""
        return [Said(self.code, self.text(language), self.hint(language))]

    def _say(self, sentence: str, language: Language) -> str:
        values = {name: in_words(value, language) for name, value in self.values.items()}
        return translator(language)(sentence, **values) if sentence else ""


class InvalidDeclarationError(CodedError):
    """Agreements or contracts that cannot be relied on, each problem with its file and line."""

    kind_exit_code, is_ours = REFUSED, True

    def __init__(self, error: DeclarationError) -> None:
        """Keep what is wrong."""
        super().__init__(error.problems[0].code)
        self.error = error

    def text(self, language: Language = "en") -> str:
        """Every problem, one a line."""
        return self.error.text(language)

    def hint(self, language: Language = "en") -> str:
        """The sentences say it."""
        return ""

    def said(self, language: Language) -> Sequence[Said]:
        """Each problem."""
        return [Said(one.code, one.text(language), "") for one in self.error.problems]


def coded(error: BaseException) -> CodedError | None:
    """The error as one with a code; None for one that nobody foresaw."""
    if isinstance(error, DeclarationError):
        return InvalidDeclarationError(error)
    return error if isinstance(error, CodedError) else None

"""Why a command stops before its end: coded sentences and exit codes.

Codes: PSL-2xx the command was not understood or names what does not exist, PSL-3xx a check did not
pass, PSL-4xx a place cannot be reached or written, PSL-5xx an error inside Passerelle.
"""

from __future__ import annotations

from pipelines.core.errors import INTERNAL, NOT_UNDERSTOOD, REFUSED, UNREACHABLE, CodedError
from schemas.text import Language

__all__ = ["INTERNAL", "NOT_UNDERSTOOD", "REFUSED", "UNREACHABLE", "CommandError"]


class CommandError(CodedError):
    """A command cannot go on, said in the language of its session."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Keep the sentence, and what to do next."""
        super().__init__(code)
        self._message, self._hint = message, hint

    def text(self, language: Language = "en") -> str:
        """The sentence."""
        return self._message

    def hint(self, language: Language = "en") -> str:
        """What to do next."""
        return self._hint

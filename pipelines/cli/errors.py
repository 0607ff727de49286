"""Why a command stops before its end: coded sentences and exit codes.

Codes: PSL-2xx the command was not understood or names what does not exist, PSL-3xx a check did not
pass, PSL-4xx a place cannot be reached or written, PSL-5xx an error inside Passerelle.
"""

from __future__ import annotations

NOT_UNDERSTOOD, REFUSED, UNREACHABLE, INTERNAL = 2, 3, 4, 5


class CommandError(Exception):
    """A command cannot go on; `hint` says what to do next."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        """Keep the coded sentence. The exit code is the first digit of the code's number."""
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.hint = code, message, hint

    @property
    def exit_code(self) -> int:
        """The exit code of the family of the code."""
        return int(self.code.removeprefix("PSL-")[0])

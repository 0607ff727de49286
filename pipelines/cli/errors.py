"""Why a command stops before its end: coded sentences and exit codes.

Codes: PSL-2xx the command was not understood or names what does not exist, PSL-3xx a check did not
pass, PSL-4xx a place cannot be reached or written, PSL-5xx an error inside Passerelle.
"""

from __future__ import annotations

from difflib import get_close_matches

from pipelines.cli.words import _
from pipelines.core.errors import INTERNAL, NOT_UNDERSTOOD, REFUSED, UNREACHABLE, CodedError
from schemas.text import Language

__all__ = ["INTERNAL", "NOT_UNDERSTOOD", "REFUSED", "UNREACHABLE", "CommandError", "no_such"]


# Of every code that a command raises or complains with itself: what it is about. Several sentences
# may say it; those of codes of other parts stand in `pipelines.core.errors.WORDS`.
CODES = {
    "PSL-201": "a command that is not understood",
    "PSL-202": "an option without its value",
    "PSL-203": "a language that is not spoken",
    "PSL-204": "an option that does not exist",
    "PSL-205": "an argument that is missing",
    "PSL-206": "a value that cannot be used",
    "PSL-207": "a setting that cannot be used",
    "PSL-208": "a command that does not exist",
    "PSL-209": "an address of a kind that is not known",
    "PSL-210": "a feed that does not exist",
    "PSL-211": "a delivery that does not exist",
    "PSL-212": "the beginning of several deliveries' names",
    "PSL-213": "a delivery that is not judged yet",
    "PSL-214": "a form in which no report is written",
    "PSL-215": "a query that failed",
    "PSL-216": "a form in which no result is written",
    "PSL-217": "a form that is for files alone",
    "PSL-218": "nothing published yet",
    "PSL-219": "several questions at once",
    "PSL-220": "a statement that is no question",
    "PSL-221": "a table that does not exist",
    "PSL-222": "a scale at which a rule has no row",
    "PSL-223": "what is no folder of a feed",
    "PSL-224": "a file that is there already",
    "PSL-225": "another form than that in which rows were sent",
    "PSL-226": "no rejected rows to write",
    "PSL-227": "a declaration that cannot be written here",
    "PSL-228": "a register and a correction at once",
    "PSL-229": "neither a register nor a correction",
    "PSL-230": "a text that is no day",
    "PSL-231": "a place without agreements",
    "PSL-232": "an event that does not exist",
    "PSL-233": "half of an identity",
    "PSL-234": "two ways of giving a password at once",
    "PSL-235": "no terminal to ask for a password",
    "PSL-236": "two passwords that differ",
    "PSL-237": "what is no anchor",
    "PSL-238": "no feeds named",
    "PSL-240": "no public key",
    "PSL-242": "a code list that does not exist",
    "PSL-243": "a refused delivery, which cannot be judged again",
    "PSL-251": "a folder that is not there",
    "PSL-301": "the lake is not as it should be",
    "PSL-302": "a feed is not as it should be",
    "PSL-303": "a delivery was not published",
    "PSL-304": "the ledger is not as it was written",
    "PSL-305": "rows that are held until somebody answers",
    "PSL-306": "what was restored is not as it should be",
    "PSL-330": "an account that may not sign in",
    "PSL-331": "an account that may not consent",
    "PSL-401": "a place that cannot be read or written",
    "PSL-402": "somebody else is publishing",
    "PSL-403": "a port that is in use",
    "PSL-404": "a server that did not start",
    "PSL-405": "a file that is not there",
    "PSL-407": "a package that is missing",
    "PSL-408": "an address that cannot be used",
    "PSL-411": "a table that was not published",
    "PSL-501": "an error inside Passerelle",
}


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


def no_such(kind: str, name: str, known: list[str], code: str, hint: str = "") -> CommandError:
    """A name that does not exist, with the nearest one that does. `kind` is a whole sentence."""
    near = get_close_matches(name, known, n=1)
    return CommandError(code, kind, _("Did you mean “{name}”?", name=near[0]) if near else hint)

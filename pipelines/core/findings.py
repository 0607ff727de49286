"""What is wrong with a delivery as a whole, as a code and values; the words are in the contract.

Not here: what is wrong with one row (the harmonise query gives rule codes) and the rules' own text.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipelines.core.errors import REFUSED, CodedError, Said
from schemas.contract import Rule, all_rules
from schemas.text import Language

UNEXPECTED = "DEL-726"
# Faults of ours, for which a file is refused all the same: the two checks do not agree, the counts
# do not add up, an error that nobody foresaw.
OURS = frozenset({"DEL-715", "DEL-723", UNEXPECTED})

log = logging.getLogger("passerelle")


@dataclass(frozen=True)
class Finding:
    """One coded finding. Values fill the message; they name places and columns, never people."""

    code: str
    values: dict[str, str | int] = field(default_factory=dict, hash=False)

    @property
    def rule(self) -> Rule:
        """The declared words of this code. Raises KeyError for a code that is not declared."""
        return _rules()[self.code]

    @property
    def is_error(self) -> bool:
        """True where the finding stops the delivery."""
        return self.rule.severity == "error"

    def text(self, language: Language = "en") -> str:
        """The message in `language`, with its values."""
        return self.rule.message[language].format_map(_Blank(self.values))

    def correction(self, language: Language = "en") -> str:
        """What the sender can do about it."""
        return self.rule.correction[language].format_map(_Blank(self.values))


class DeliveryError(CodedError):
    """Nothing of this delivery can be used; `findings` say why, in codes."""

    kind_exit_code = REFUSED

    def __init__(self, findings: list[Finding] | Finding) -> None:
        """Keep the findings; the exception's own text is codes only, since it may be logged."""
        self.findings = [findings] if isinstance(findings, Finding) else list(findings)
        super().__init__(self.findings[0].code if self.findings else UNEXPECTED)

    def __str__(self) -> str:
        """The codes."""
        return ", ".join(finding.code for finding in self.findings)

    def text(self, language: Language = "en") -> str:
        """Every finding, one a line."""
        return "\n".join(one.text(language) for one in self.findings)

    def said(self, language: Language) -> list[Said]:
        """Each finding."""
        return [
            Said(one.code, one.text(language), one.correction(language)) for one in self.findings
        ]


class _Blank(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "…"


@cache
def _rules() -> dict[str, Rule]:
    return all_rules()


def unexpected(delivery_id: str, file_name: str, error: Exception) -> Finding:
    """The finding for an error of ours. Where it arose is logged; its text may quote a cell."""
    steps, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        steps.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    where = " < ".join(reversed(steps[-4:]))
    reference = hashlib.sha256(f"{type(error).__name__} {where}".encode()).hexdigest()[:8]
    log.error("%s: %s at %s (reference %s)", delivery_id, type(error).__name__, where, reference)
    return Finding(UNEXPECTED, {"file_name": file_name, "reference": reference})

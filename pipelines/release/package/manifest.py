"""What an extract says of itself: `manifest.json`, signed, and the same for the same extract.

Not here: saying it in words (`readme.py`) and checking it (`verify.py`).

Nothing in it is of the moment or of the person: who asked for it and when stands in the ledger, so
that the same tables, agreements and program give the same bytes. Counts that could point at
a record are not told exactly (`flow.py`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.agreement import Onward, Precision
from schemas.text import Bilingual

FORMAT: Literal["passerelle-extract/1"] = "passerelle-extract/1"
ID_LENGTH = 12


class _Part(BaseModel):
    # A later program may say more: what is signed can still be read.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(_Part):
    """A code with its words."""

    code: str
    label: Bilingual


class Handling(_Part):
    """The marking of the whole extract: the strictest of its rows."""

    level: str
    tlp: str
    label: Bilingual


class AgreementUsed(_Part):
    """One agreement by which something in the extract left."""

    name: str
    version: str
    sha256: str
    status: str
    title: Bilingual
    legal_reference: Bilingual
    valid_until: dt.date


class ClauseUsed(_Part):
    """One clause: what it opened, how coarse, what it let out, masked and kept back."""

    clause: str
    agreement: str
    summary: Bilingual
    rows_kept: str  # numbers as `flow.Flow.told` gives them: 412, <5, ≥35
    rows_coarsened: str
    cells_masked: dict[str, str]
    rows_dropped: dict[str, str]
    precision: Precision
    handling_ceiling: str
    delay_days: int
    onward: Onward
    due_diligence: str = ""


class RestrictionUsed(_Part):
    """One provider's own restriction that held for this recipient."""

    clause: str
    reason: Bilingual
    columns: tuple[str, ...] = ()


class RiskAccepted(_Part):
    """One provider's consent, without which the counts would not have left."""

    consent: str
    organisation: Named
    given_on: dt.date
    until: dt.date
    reason: str


class ManifestRequest(_Part):
    """The request, as it was made."""

    columns: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    areas: tuple[str, ...] = ()
    offences: tuple[str, ...] = ()


class RiskStated(_Part):
    """How well the records hide in each other: the least number that look alike, 0 for none."""

    k: int
    k_required: int
    quasi_identifiers: tuple[str, ...] = ()


class ColumnOut(_Part):
    """One column of the data file."""

    name: str
    type: str
    label: str


class FileOut(_Part):
    """One file of the zip, the manifest itself and its signature aside."""

    name: str
    bytes: int
    sha256: str


class Manifest(_Part):
    """Everything that an extract says of itself."""

    format: Literal["passerelle-extract/1"] = FORMAT
    extract_id: str = ""
    issuer: Named
    program_version: str
    key_fingerprint: str
    recipient: Named
    purpose: Named
    table: str
    title: Bilingual
    contract_version: str
    form: Literal["records", "counts"]
    file_format: str
    language: Literal["en", "fr"]
    as_of: dt.date
    asked: ManifestRequest
    handling: Handling
    agreements: tuple[AgreementUsed, ...]
    clauses: tuple[ClauseUsed, ...]
    is_withheld_told: bool = True  # `flow.py` says why not of a narrow choice
    has_others_across: bool = False  # told so coarsely that they lie partly outside the choice
    restrictions: tuple[RestrictionUsed, ...] = ()
    table_versions: dict[str, int]
    row_count: int
    suppressed_cells: int | None = None  # None: not told, since they are not listed either
    small_cell_threshold: int | None = None
    risk: RiskStated | None = None
    accepted_by: tuple[RiskAccepted, ...] = ()
    columns: tuple[ColumnOut, ...]
    masked_columns: tuple[str, ...] = ()
    query: str
    content_hash: str
    files: tuple[FileOut, ...] = ()

    def named(self) -> Manifest:
        """With the id that follows from everything else: the same extract has the same name."""
        bare = self.model_copy(update={"extract_id": "", "files": ()})
        digest = hashlib.sha256(bare.as_bytes()).hexdigest()
        return self.model_copy(update={"extract_id": digest[:ID_LENGTH]})

    def as_bytes(self) -> bytes:
        """Canonical JSON: sorted names, two spaces, UTF-8, a line feed at the end."""
        data = self.model_dump(mode="json")
        return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def parse(content: bytes) -> Manifest:
    """A manifest from its bytes. Raises ValueError for anything else."""
    return Manifest.model_validate_json(content)


def stated_format(content: bytes) -> str:
    """The format that a JSON document says it has; empty where it says none."""
    try:
        data: Any = json.loads(content)
    except ValueError:
        return ""
    return str(data.get("format", "")) if isinstance(data, dict) else ""

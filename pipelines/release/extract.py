"""Making one extract: gathered, written, described, signed, noted, and only then put in its place.

Not here: what may leave (`selection.py` and what it calls) and the forms of the files (`formats`).

The order is what makes it safe to be killed at any moment. Everything is made in scratch and
synced; the private list of records is put in its place, then the ledger is told, and last the zip
appears whole by one rename. So no zip is ever half-written, and none is there of which the ledger
does not know. A rerun makes the same bytes under the same name.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.core.duck import scratch_folder
from pipelines.core.files import place
from pipelines.core.settings import Settings
from pipelines.release.disclosure.past_disclosures import (
    cells_folder,
    one_at_a_time,
)
from pipelines.release.errors import ReleaseError
from pipelines.release.manifest_builder import manifest_of
from pipelines.release.package import dictionary, keys, readme
from pipelines.release.package.archive import (
    MANIFEST,
    MANIFEST_SIGNATURE,
    Part,
    write_package,
)
from pipelines.release.package.formats.content import Content
from pipelines.release.package.formats.registry import write_data
from pipelines.release.package.manifest import FileOut, Manifest
from pipelines.release.query.selection import Progress, Selection, open_selection
from pipelines.release.request import Request
from schemas.agreement_folder import load_agreements
from schemas.organisation import is_public, organisations, purposes

STEPS = 4
LONGEST_NAME = 80  # of an unknown name in the ledger
GATHER, WRITE, PACK, DONE = range(STEPS)


@dataclass(frozen=True)
class Extract:
    """A finished extract: one signed zip."""

    extract_id: str
    file: Path
    manifest: Manifest
    row_count: int
    sha256: str
    bytes: int


@dataclass(frozen=True)
class _Maker:
    """Where, for the ledger who, and whom to tell how far it is."""

    settings: Settings
    made_by: str
    organisation: str
    tell: Progress


def make_extract(
    settings: Settings,
    request: Request,
    *,
    made_by: str,
    organisation: str = "",
    progress: Progress | None = None,
) -> Extract:
    """Make an extract and return it.

    `made_by` is a role or an account, for the ledger alone. Raises ReleaseError (noted in the
    ledger), AgreementError, LedgerError, LakeError, OSError.
    """
    from pipelines.ledger.policy import note_policy

    maker = _Maker(settings, made_by, organisation, progress or (lambda done, total, what: None))
    note_policy(settings.prepare(), actor=made_by)
    try:
        with one_at_a_time(settings, request), scratch_folder(settings, "release") as folder:
            maker.tell(GATHER, STEPS, request.table)
            with open_selection(settings, request, folder) as selection:
                return _make(maker, selection, folder)
    except ReleaseError as refused:
        note_refusal(settings, request, refused, made_by=made_by, organisation=organisation)
        raise


def note_refusal(
    settings: Settings,
    request: Request,
    refused: ReleaseError,
    *,
    made_by: str,
    organisation: str = "",
) -> None:
    """Write a refusal down; of counts, also what stood in the way and whose consent they need.

    Raises LedgerError.
    """
    from pipelines.ledger.chain import append
    from pipelines.release.disclosure.consents import note_need

    details = {**_about(request), "code": refused.code, "case": refused.case}
    if refused.conflict:
        details["earlier"] = [one.told.name for one in refused.conflict.obstacles]
        details["differs"] = [list(one.differs) for one in refused.conflict.obstacles]
        need = refused.conflict.need
        details["reference"] = need.reference
        note_need(settings, need, actor=made_by, organisation=organisation)
    append(
        settings,
        "extract.refused",
        actor=made_by,
        organisation=organisation,
        subject=request.table[:LONGEST_NAME],
        details=details,
    )


def _make(maker: _Maker, selection: Selection, folder: Path) -> Extract:
    settings, tell = maker.settings, maker.tell
    key = keys.signing_key(settings)
    manifest = manifest_of(selection, keys.fingerprint(key.public_key()), settings).named()
    tell(WRITE, STEPS, selection.request.format)
    parts = _parts(manifest, selection, folder)
    files = [FileOut(name=one.name, bytes=one.size, sha256=one.sha256()) for one in parts]
    manifest = manifest.model_copy(update={"files": tuple(files)})
    stated = manifest.as_bytes()
    tell(PACK, STEPS, manifest.extract_id)
    signed = [*parts, Part(MANIFEST, stated), Part(MANIFEST_SIGNATURE, key.sign(stated))]
    file = settings.releases / file_name(manifest)
    draft = folder / file.name
    made = Extract(
        extract_id=manifest.extract_id,
        file=file,
        manifest=manifest,
        row_count=selection.row_count,
        sha256=write_package(draft, signed, key),
        bytes=draft.stat().st_size,
    )
    _try_the_place(file, made.bytes)
    place(selection.holdings, settings.release_records / f"{made.extract_id}.parquet")
    told = cells_folder(settings, manifest.table, manifest.recipient.code)
    place(selection.kept, told / f"{made.extract_id}.parquet")
    _note(maker, selection.request, made)
    place(draft, file)
    tell(DONE + 1, STEPS, file.name)
    return made


def _try_the_place(file: Path, size: int) -> None:
    """Raise OSError while nothing has been noted yet, where the folder could not take the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=file.parent):
        pass
    is_elsewhere = file.parent.stat().st_dev != file.parent.parent.stat().st_dev
    if is_elsewhere and shutil.disk_usage(file.parent).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def file_name(manifest: Manifest) -> str:
    """`incidents_minusca_unpol_2026-03-01_0123456789ab.zip`."""
    day = manifest.as_of.isoformat()
    return f"{manifest.table}_{manifest.recipient.code}_{day}_{manifest.extract_id}.zip"


def _parts(manifest: Manifest, selection: Selection, folder: Path) -> Sequence[Part]:
    """The page, the data and the dictionary; the data's name carries the marking, as files get
    taken out of their zip.
    """
    language, wanted = manifest.language, selection.request.format
    recipient = None if is_public(manifest.recipient.code) else manifest.recipient.label
    marking_line = selection.marking.line(recipient, language)
    data = folder / f"{manifest.table}_{manifest.handling.level}.{wanted}"
    content = Content(
        connection=selection.connection,
        rows=selection.rows,
        fields=selection.fields,
        row_count=selection.row_count,
        name=manifest.table,
        title=manifest.title[language],
        marking=selection.marking,
        marking_line=marking_line,
        reference=manifest.extract_id,
        about=readme.about(manifest),
        language=language,
        point=selection.contract.roles.point,
    )
    write_data(wanted, content, data)
    meanings = dictionary.write_dictionary(manifest, selection.fields, marking_line)
    return [
        Part(readme.NAMES["readme"][language], readme.write_page(manifest, marking_line)),
        Part(data.name, data),
        Part(readme.NAMES["dictionary"][language], meanings),
    ]


def _note(maker: _Maker, request: Request, made: Extract) -> None:
    from pipelines.ledger.chain import append

    manifest = made.manifest
    append(
        maker.settings,
        "extract.made",
        actor=maker.made_by,
        organisation=maker.organisation,
        subject=made.extract_id,
        details={
            **_about(request),
            "extract_id": made.extract_id,
            "file": made.file.name,
            "sha256": made.sha256,
            "rows": made.row_count,
            "clauses": [one.clause for one in manifest.clauses],
            "providers": _providers(maker.settings, manifest),
            "agreements": {one.name: one.version for one in manifest.agreements},
            "handling": manifest.handling.level,
            "consents": [one.consent for one in manifest.accepted_by],
            "is_again": made.file.exists(),
        },
    )


def _providers(settings: Settings, manifest: Manifest) -> list[str]:
    """The sources whose data its clauses opened: theirs it is to oversee what became of it."""
    opened = {one.clause for one in manifest.clauses}
    permits = (permit for one in load_agreements(settings.agreements) for permit in one.permits)
    return sorted({name for one in permits if one.full_name in opened for name in one.providers})


def _about(request: Request) -> dict[str, Any]:
    """The request for the ledger; a name that nobody knows may be anything, so it is not kept."""
    return {
        "table": request.table[:LONGEST_NAME],
        "recipient": request.recipient if request.recipient in organisations() else "?",
        "purpose": request.purpose if request.purpose in purposes() else "?",
        "form": request.form,
        "format": request.format[:LONGEST_NAME],
        "as_of": request.as_of.isoformat(),
    }

"""Commands about extracts: `extract`, `verify`, `key show|export`.

Not here: what may leave and making it (`pipelines/release`), and how they print (`released.py`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.days import day_of
from pipelines.cli.declare import command, session_of
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _, language
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from pipelines.release.extract import Extract
    from pipelines.release.request import Request


Table = Annotated[str, typer.Argument(metavar=mark("TABLE"), help=mark("such as incidents"))]
Recipient = Annotated[
    str, typer.Option("--recipient", metavar=mark("ORGANISATION"), help=mark("who receives it"))
]
Purpose = Annotated[
    str, typer.Option("--purpose", metavar=mark("PURPOSE"), help=mark("what it is for"))
]
Since = Annotated[str, typer.Option("--from", metavar=mark("DAY"), help=mark("first day"))]
Until = Annotated[str, typer.Option("--to", metavar=mark("DAY"), help=mark("last day"))]
Areas = Annotated[
    str, typer.Option("--area", metavar=mark("CODES"), help=mark("countries or areas; a,b"))
]
Offences = Annotated[
    str,
    typer.Option("--offence", metavar=mark("CODES"), help=mark("ICCS codes or beginnings; a,b")),
]
Columns = Annotated[
    str, typer.Option("--columns", metavar=mark("NAMES"), help=mark("else all permitted; a,b"))
]
CountsBy = Annotated[
    str,
    typer.Option(
        "--counts-by", metavar=mark("NAMES"), help=mark("counts instead of records, by these")
    ),
]
Measures = Annotated[
    str, typer.Option("--measure", metavar=mark("NAMES"), help=mark("what is added up; a,b"))
]
Shape = Annotated[
    str,
    typer.Option(
        "--format", "-f", metavar=mark("FORMAT"), help=mark("xlsx, csv, parquet, geojson or gpkg")
    ),
]
AsOf = Annotated[
    str,
    typer.Option("--as-of", metavar=mark("DAY"), help=mark("the day that delays are counted from")),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar=mark("FILE"), help=mark("put a copy there"))
]
Preview = Annotated[bool, typer.Option("--preview", help=mark("only show what it would hold"))]


@command(
    "extract",
    mark(
        "Make an extract: the rows that an agreement permits, marked, described and signed.\n\n"
        "It is one zip in <home>/releases, with a page that says what it is, for whom and how to "
        "treat it, in the language of --lang. Nothing leaves without a clause of an agreement; "
        "“passerelle agreement explain” says what one may ask for. Every extract and every "
        "refusal is noted in the ledger."
    ),
    "passerelle extract incidents --recipient minusca_unpol \\\n"
    "  --purpose joint_planning --lang fr\n"
    "passerelle extract incidents --recipient public \\\n"
    "  --purpose public_information --counts-by country,quarter --format csv",
)
def extract(
    context: typer.Context,
    table: Table,
    *,
    recipient: Recipient,
    purpose: Purpose,
    since: Since = "",
    until: Until = "",
    areas: Areas = "",
    offences: Offences = "",
    columns: Columns = "",
    counts_by: CountsBy = "",
    measures: Measures = "",
    shape: Shape = "xlsx",
    as_of: AsOf = "",
    output: Output = None,
    is_preview: Preview = False,
) -> None:
    """Make an extract."""
    from pipelines.cli.released import show_extract, show_preview
    from pipelines.release.preview import preview
    from pipelines.release.request import Request

    session = session_of(context)
    request = Request(
        table=table,
        recipient=recipient,
        purpose=purpose,
        as_of=day_of(as_of),
        form="counts" if counts_by or measures else "records",
        columns=_names(columns),
        dimensions=_names(counts_by),
        measures=_names(measures) or ("records",),
        since=day_of(since) if since else None,
        until=day_of(until) if until else None,
        areas=_names(areas),
        offences=_names(offences),
        format=shape,
        language=language(),
    )
    if is_preview:
        show_preview(session, preview(session.settings, request))
        return
    replaced = _replaced(session, request)
    made = make(session, request)
    show_extract(session, made, _copied(made.file, output) if output else None, replaced)


def _replaced(session: Session, request: Request) -> list[str]:
    """The extracts of such a request that tell records more finely than they are told now."""
    from pipelines.release.disclosure.outdated import outdated_extracts

    asked = (request.recipient, request.table, request.purpose, request.form)
    return [
        one.extract_id
        for one in outdated_extracts(session.settings)
        if (one.recipient, one.table, one.purpose, one.form) == asked
    ]


def make(session: Session, request: Request) -> Extract:
    """Make the extract, with a bar while it lasts."""
    from pipelines.ledger.chain import OPERATOR, OPERATORS
    from pipelines.release.extract import make_extract

    with session.progress(_("Making the extract")) as advance:
        return make_extract(
            session.settings,
            request,
            made_by=OPERATOR,
            organisation=OPERATORS,
            progress=advance,
        )


@command(
    "verify",
    mark(
        "Check an extract: is it authentic and unchanged, who made what for whom, by which clause?"
        "\n\n"
        "It needs no network and nothing but the zip and the maker's public key. A zip that was "
        "changed by a single byte is refused (exit code 3). Nothing is unpacked."
    ),
    "passerelle verify incidents_minusca_unpol_2026-11-01_0123456789ab.zip \\\n"
    "  --key passerelle-public-key.pem",
)
def verify(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar=mark("FILE"), help=mark("the zip, as it was made"))
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar=mark("FILE"),
            help=mark("the maker's public key; else that of this installation"),
        ),
    ] = None,
) -> int:
    """Check an extract."""
    from pipelines.cli.released import show_verified
    from pipelines.release.package.verify import NotAuthentic
    from pipelines.release.package.verify import verify as prove

    session = session_of(context)
    public = _public_key(session, key)
    try:
        verified = prove(file, public)
    except NotAuthentic as refused:
        session.complain(refused.code, refused.text(language()), refused.hint(language()))
        return REFUSED
    show_verified(session, file, verified)
    return 0


@command(
    "show",
    mark(
        "Show the public key with which extracts of this installation are checked.\n\n"
        "Read its fingerprint out by telephone to whoever has a copy: both must be the same."
    ),
    "passerelle key show",
)
def show_key(context: typer.Context) -> None:
    """Show the public key."""
    from pipelines.release.package.keys import (
        fingerprint,
        public_key_path,
        public_pem,
        signing_key,
        spoken,
    )

    session = session_of(context)
    key = signing_key(session.settings).public_key()
    pem = public_pem(key).decode("ascii")
    if session.is_json:
        place = str(public_key_path(session.settings))
        session.print_json({"fingerprint": fingerprint(key), "file": place, "pem": pem})
        return
    session.print(_("Fingerprint: {fingerprint}", fingerprint=spoken(fingerprint(key))))
    session.print_line(_("File: {file}", file=public_key_path(session.settings)))
    session.print()
    session.print(pem.rstrip())


@command(
    "export",
    mark("Write the public key to a file, to hand to those who check extracts."),
    "passerelle key export passerelle-public-key.pem",
)
def export_key(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar=mark("FILE"), help=mark("where to write it"))],
) -> None:
    """Write the public key."""
    from pipelines.release.package.keys import (
        fingerprint,
        public_pem,
        signing_key,
        spoken,
    )

    session = session_of(context)
    key = signing_key(session.settings).public_key()
    file.write_bytes(public_pem(key))
    said = spoken(fingerprint(key))
    if session.is_json:
        session.print_json({"fingerprint": fingerprint(key), "file": str(file)})
    session.print(_("Public key {fingerprint} in {file}.", fingerprint=said, file=file))


def _names(text: str) -> tuple[str, ...]:
    """`a, b` → (a, b)."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _copied(file: Path, output: Path) -> Path:
    """A copy of a finished zip, whole or not at all; into a folder under its own name."""
    target = output / file.name if output.is_dir() else output
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(file, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _public_key(session: Session, key: Path | None) -> Ed25519PublicKey:
    """The key to check with. Raises CommandError where there is none, or the file holds none."""
    from pipelines.release.package.keys import (
        KeyUnusable,
        public_key_path,
        read_public_key,
    )

    path = key or public_key_path(session.settings)
    if key is None and not path.is_file():
        message = _("The public key of the maker is needed to check an extract.")
        hint = _(
            "Get it from the maker, by another way than the zip, then add: --key {file}",
            file=path.name,
        )
        raise CommandError("PSL-240", message, hint)
    try:
        return read_public_key(path)
    except KeyUnusable:
        message = _("“{file}” holds no Ed25519 public key.", file=path)
        hint = _("See: {command}", command="passerelle key export --help")
        raise CommandError("PSL-241", message, hint) from None

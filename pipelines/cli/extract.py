"""The command `extract make`: the rows that an agreement permits, in one signed zip."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, day_of, flag, noun, option
from pipelines.cli.session import Session
from pipelines.cli.words import _, language
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.release.extract import Extract
    from pipelines.release.request import Request


Table = Annotated[str, argument(mark("TABLE"), mark("such as incidents"))]
Recipient = Annotated[str, option("--recipient", mark("ORGANISATION"), mark("who receives it"))]
Purpose = Annotated[str, option("--purpose", mark("PURPOSE"), mark("what it is for"))]
Since = Annotated[str, option("--from", mark("DAY"), mark("first day"))]
Until = Annotated[str, option("--to", mark("DAY"), mark("last day"))]
Areas = Annotated[str, option("--area", mark("CODES"), mark("countries or areas; a,b"))]
Offences = Annotated[str, option("--offence", mark("CODES"), mark("ICCS codes or beginnings; a,b"))]
Columns = Annotated[str, option("--columns", mark("NAMES"), mark("else all permitted; a,b"))]
CountsBy = Annotated[
    str, option("--counts-by", mark("NAMES"), mark("counts instead of records, by these"))
]
Measures = Annotated[str, option("--measure", mark("NAMES"), mark("what is added up; a,b"))]
Shape = Annotated[
    str, option("--format -f", mark("FORMAT"), mark("xlsx, csv, parquet, geojson or gpkg"))
]
AsOf = Annotated[str, option("--as-of", mark("DAY"), mark("the day that delays are counted from"))]
Output = Annotated[Path | None, option("--output -o", mark("FILE"), mark("put a copy there"))]
Preview = Annotated[bool, flag("--preview", mark("only show what it would hold"))]


@command(
    "make",
    mark(
        "Make an extract: the rows that an agreement permits, marked, described and signed.\n\n"
        "It is one zip in <home>/releases, with a page that says what it is, for whom and how to "
        "treat it, in the language of --lang. Nothing leaves without a clause of an agreement; "
        "“passerelle agreement explain” says what one may ask for. Every extract and every "
        "refusal is noted in the ledger."
    ),
    "passerelle extract make incidents --recipient minusca_unpol \\\n"
    "  --purpose joint_planning --lang fr\n"
    "passerelle extract make incidents --recipient public \\\n"
    "  --purpose public_information --counts-by country,quarter --format csv",
    earlier="extract",
)
def make(
    session: Session,
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
    from pipelines.cli.extract_output import show_extract, show_preview
    from pipelines.release.preview import preview
    from pipelines.release.request import Request

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
    made = make_one(session, request)
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


def make_one(session: Session, request: Request) -> Extract:
    """Make the extract, with a bar while it lasts."""
    from pipelines.ledger.chain import OPERATOR, OPERATORS
    from pipelines.release.extract import make_extract

    with session.progress(_("Making the extract")) as advance:
        return make_extract(
            session.settings, request, made_by=OPERATOR, organisation=OPERATORS, progress=advance
        )


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


NOUN = noun(
    "extract",
    mark("What leaves by an agreement: make an extract. “passerelle verify” checks one."),
    make,
)

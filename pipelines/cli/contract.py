"""The command `contract render`: the contracts in the forms that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pipelines.cli.declare import argument, command, noun
from pipelines.cli.session import Session
from pipelines.cli.words import _, number
from pipelines.core.i18n import mark


@command(
    "render",
    mark(
        "Write the contracts of all tables in the forms that other programs read.\n\n"
        "Open Data Contract Standard, SQL of DuckDB, Arrow, JSON Schema, Great Expectations, "
        "Frictionless with a sample of each table, and HXL. Files of the same names are replaced."
    ),
    "passerelle contract render contracts",
)
def render(
    session: Session,
    folder: Annotated[Path, argument(mark("FOLDER"), mark("folder to write them to"))],
) -> None:
    from schemas.contract_check import check_all
    from schemas.render.interchange import write

    check_all()
    written = write(folder)
    if session.is_json:
        session.print_json({"folder": str(folder), "files": [str(one) for one in written]})
        return
    session.print_line(_("Written: {file}", file=folder))
    session.print(_("Files: {count}.", count=number(len(written))))


NOUN = noun("contract", mark("What the tables promise, for other programs."), render)

"""The commands `table …`: what is published and what each column means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, noun
from pipelines.cli.errors import no_such
from pipelines.cli.session import Session, table
from pipelines.cli.sql import locked_connection
from pipelines.cli.words import _, language, number
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from schemas.contract import Contract


@command(
    "list",
    mark("List the published tables with their rows and what they hold."),
    "passerelle table list",
    earlier="tables",
)
def list_tables(session: Session) -> None:
    from schemas.contract import load_contract, table_names

    rows: list[dict[str, Any]] = []
    with locked_connection(session) as connection:
        found = connection.execute(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' "
            "UNION SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY ALL"
        ).fetchall()
        names = {name for (name,) in found}
        for name in (n for n in table_names() if n in names):
            [(count,)] = connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()
            contract = load_contract(name)
            rows.append(
                {
                    "table": name,
                    "rows": count,
                    "columns": len(contract.published),
                    "history": f"{name}_history" in names,
                    "about": _first_sentence(contract),
                }
            )
    if session.is_json:
        session.print_json(rows)
        return
    grid = table(_("Table"), _("Rows"), _("Columns"), _("What it holds"), numbers=[1, 2], whole=[0])
    for row in rows:
        grid.add_row(row["table"], number(row["rows"]), number(row["columns"]), row["about"])
    session.print(grid)
    session.print()
    session.print(_("Every version of a record: <table>_history."))
    session.print_line(_("To open them elsewhere: {file}", file=session.settings.catalogue))


@command(
    "show",
    mark("Say what each column of a table means; without a table, list the tables."),
    "passerelle table show incidents",
    earlier="dictionary",
)
def show(
    session: Session, name: Annotated[str, argument(mark("TABLE"), mark("name of a table"))] = ""
) -> None:
    from schemas.contract import table_names

    if name and name not in table_names():
        if found := _published_only(session, name):
            _show_published(session, name, found)
            return
        message = _("There is no table “{name}”.", name=name)
        hint = _("See: {command}", command="passerelle table show")
        raise no_such(message, name, table_names(), "PSL-221", hint)
    if session.is_json:
        session.print_json({t: _explained(t) for t in ([name] if name else table_names())})
    elif name:
        _show_columns(session, name)
    else:
        _show_contracts(session)


def _published_only(session: Session, name: str) -> list[tuple[str, str, str, str]]:
    """Column, type, meaning, and what the whole is, of what has no contract of its own.

    Such are `<table>_history` and `code_labels`. Empty for any other name and while nothing is
    published; comments in the catalogue are “English | French”.
    """
    if not session.settings.catalogue.is_file():
        return []
    with locked_connection(session) as connection:
        rows = connection.execute(
            "SELECT column_name, data_type, c.comment, w.comment FROM duckdb_columns() AS c JOIN "
            "(SELECT table_oid AS oid, comment FROM duckdb_tables() UNION ALL "
            "SELECT view_oid, comment FROM duckdb_views()) AS w ON c.table_oid = w.oid "
            "WHERE table_name = ? AND schema_name = 'main' AND NOT internal ORDER BY column_index",
            [name],
        ).fetchall()
    return [(column, kind, _spoken(words), _spoken(whole)) for column, kind, words, whole in rows]


def _spoken(comment: str | None) -> str:
    english, _sign, french = (comment or "").partition(" | ")
    return french if french and language() == "fr" else english


def _show_published(session: Session, name: str, found: list[tuple[str, str, str, str]]) -> None:
    from rich.text import Text

    if session.is_json:
        rows = [
            {"column": one, "type": kind, "description": said} for one, kind, said, _whole in found
        ]
        session.print_json({name: rows})
        return
    session.print(Text(name, style="bold"))
    session.print(found[0][3])
    session.print()
    grid = table(_("Column"), _("Type"), _("Meaning"), whole=[0, 1])
    for column, kind, words, _whole in found:
        grid.add_row(column, kind, words)
    session.print(grid)


def _explained(name: str) -> list[dict[str, Any]]:
    from schemas.contract import load_contract

    return [
        {
            "column": column.name,
            "label": column.label[language()],
            "type": column.duckdb_type,
            "required": column.is_required,
            "unit": column.unit,
            "codelist": column.codelist,
            "classification": column.classification,
            "hxl": column.hxl,
            "description": column.description[language()],
        }
        for column in load_contract(name).published
    ]


def _show_columns(session: Session, name: str) -> None:
    from rich.text import Text

    from schemas.contract import load_contract

    contract = load_contract(name)
    session.print(Text.assemble((contract.title[language()], "bold"), f"  {name}"))
    session.print(contract.description[language()])
    session.print()
    grid = table(_("Column"), _("Type"), _("Meaning"), whole=[0, 1])
    for column in contract.published:
        notes = [column.unit, _("list: {name}", name=column.codelist) if column.codelist else ""]
        note = " · ".join(part for part in notes if part)
        words = Text.assemble(column.description[language()], (f"  {note}" if note else "", "dim"))
        grid.add_row(column.name, column.duckdb_type, words)
    session.print(grid)


def _show_contracts(session: Session) -> None:
    from schemas.contract import load_contract, table_names

    grid = table(
        _("Table"), _("Columns"), _("Rules"), _("What it holds"), numbers=[1, 2], whole=[0]
    )
    for contract in (load_contract(name) for name in table_names()):
        grid.add_row(
            contract.table,
            number(len(contract.published)),
            number(len(contract.rules)),
            _first_sentence(contract),
        )
    session.print(grid)
    session.print()
    session.print(_("The columns of one: {command}", command="passerelle table show incidents"))


def _first_sentence(contract: Contract) -> str:
    return contract.description[language()].split(". ")[0].rstrip(".") + "."


NOUN = noun(
    "table",
    mark("What is published: list the tables, see what their columns mean."),
    list_tables,
    show,
)

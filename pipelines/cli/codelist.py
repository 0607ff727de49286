"""The commands `codelist …`: which code lists there are, and their codes, found by their words."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pipelines.cli.declare import argument, command, day_of, noun, option
from pipelines.cli.errors import no_such
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, counted, language, listed, number
from pipelines.core.i18n import mark
from schemas.codelist import aliases, codelist_names, find_codes, load_codelist
from schemas.contract import coded_columns
from schemas.text import LANGUAGES


@command(
    "list",
    mark("List the code lists: how many codes each has, and which columns use it."),
    "passerelle codelist list",
)
def list_codelists(session: Session) -> None:
    found = {name: (len(load_codelist(name)), coded_columns(name)) for name in codelist_names()}
    if session.is_json:
        session.print_json(
            [
                {"codelist": name, "codes": count, "used_by": [".".join(one) for one in used]}
                for name, (count, used) in found.items()
            ]
        )
        return
    grid = table(_("Code list"), _("Codes"), _("Used by"), numbers=[1], whole=[0])
    for name, (count, used) in found.items():
        columns = dict.fromkeys(column for _table, column in used)
        grid.add_row(name, number(count), listed(list(columns)) or "–")
    session.print(grid)
    session.print()
    session.print(_("The codes of one: {command}", command="passerelle codelist show offences"))


@command(
    "show",
    mark(
        "Show the codes of a list with their words in both languages, all or those looked for.\n\n"
        "It looks for SEARCH in codes, words and aliases, whatever the accents. A code is shown "
        "with its parent and the days on which it is valid; those that are found also with their "
        "aliases, the other words that are understood."
    ),
    "passerelle codelist show offences homicide\npasserelle codelist show admin_areas kivu",
)
def show(
    session: Session,
    name: Annotated[str, argument(mark("LIST"), mark("name of a code list; see “codelist list”"))],
    asked: Annotated[
        list[str] | None, argument(mark("SEARCH"), mark("a code, or words in either language"))
    ] = None,
    day: Annotated[
        str, option("--as-of", mark("DAY"), mark("only codes that are valid on this day"))
    ] = "",
) -> None:
    words = " ".join(asked or ())
    if name not in codelist_names():
        message = _("There is no code list “{name}”.", name=name)
        hint = _("See: {command}", command="passerelle codelist list")
        raise no_such(message, name, codelist_names(), "PSL-242", hint)
    rows = find_codes(name, words)
    if day:
        rows = [row for row in rows if _is_valid(row, day_of(day))]
    if session.is_json:
        session.print_json([row | {"aliases": aliases(row)} for row in rows])
    elif not rows:
        session.print(_("No code of this list holds “{words}”.", words=words))
    else:
        _show(session, rows, has_aliases=bool(words))
        if not words:
            command_line = f"passerelle codelist show {name} {rows[0]['code']}"
            session.print_line(_("With the aliases of a code: {command}", command=command_line))


def _show(session: Session, rows: list[dict[str, str]], *, has_aliases: bool) -> None:
    """One line a code in each language; the columns that this list leaves empty are left out."""
    first, second = sorted(LANGUAGES, key=lambda one: one != language())
    has_parents, has_days = any(row["parent"] for row in rows), any(map(_days, rows))
    headings = [_("Code"), {"en": "English", "fr": "Français"}[first]]
    headings += [{"en": "English", "fr": "Français"}[second]]
    headings += [_("Part of")] * has_parents + [_("Valid")] * has_days
    grid = table(*headings, whole=[0, *range(3, len(headings))])
    for row in rows:
        grid.add_row(row["code"], _words(row, first, has_aliases), row[f"label_{second}"],
                     *[row["parent"]] * has_parents, *[_days(row)] * has_days)  # fmt: skip
    session.print(grid)
    session.print()
    one, several = mark("{count} code."), mark("{count} codes.")
    session.print(counted(len(rows), one, several))


def _words(row: dict[str, str], spoken: str, has_aliases: bool) -> Any:
    from rich.text import Text

    known = listed(aliases(row)) if has_aliases else ""
    return Text.assemble(row[f"label_{spoken}"], (f"\n{known}" if known else "", "dim"))


def _days(row: dict[str, str]) -> str:
    return f"{row['valid_from']} – {row['valid_to']}".strip(" –") and (
        f"{row['valid_from'] or '…'} – {row['valid_to'] or '…'}"
    )


def _is_valid(row: dict[str, str], day: dt.date) -> bool:
    """True on every day from the first to the last, both among them."""
    return (row["valid_from"] or "0") <= day.isoformat() <= (row["valid_to"] or "9999")


NOUN = noun(
    "codelist",
    mark("The code lists: list them, look for a code by its words."),
    list_codelists,
    show,
)

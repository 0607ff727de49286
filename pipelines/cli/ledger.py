"""The commands `ledger …`: read and check the ledger, see who holds a record."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, noun, option
from pipelines.cli.errors import REFUSED, CommandError, no_such
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, counted, language, listed, number
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.ledger.chain import Entry
    from pipelines.ledger.holders import Holding

ANCHOR = re.compile(r"\d+:[0-9a-f]{64}")
SHOWN = 30
MOST_SHOWN = 10_000


@command(
    "verify",
    mark(
        "Look through the whole ledger for entries altered, removed, inserted or reordered.\n\n"
        "It ends with an anchor: keep it where the administrator of this machine cannot change it, "
        "and give it to the next check with --anchor. Then not even a ledger that was rewritten "
        "with our own key goes unnoticed."
    ),
    "passerelle ledger verify\npasserelle ledger verify --anchor 1204:9f2c…",
    earlier="audit verify",
)
def verify(
    session: Session,
    anchor: Annotated[
        str, option("--anchor", mark("ANCHOR"), mark("the last line of an earlier check"))
    ] = "",
) -> int:
    from pipelines.ledger.chain import OPERATOR, OPERATORS
    from pipelines.ledger.verify import check_and_note

    if anchor and not ANCHOR.fullmatch(anchor):
        raise CommandError(
            "PSL-237", _("An anchor is a number, a colon and 64 hexadecimal digits.")
        )
    with session.progress(_("Checking")):
        checked = check_and_note(
            session.settings, actor=OPERATOR, organisation=OPERATORS, anchor=anchor
        )
    if session.is_json:
        session.print_json(
            {
                "entries": checked.count,
                "anchor": checked.anchor,
                "faults": [
                    {"kind": one.kind, "seq": one.seq, "message": one.text(language())}
                    for one in checked.faults
                ],
            }
        )
        return REFUSED if checked.faults else 0
    for fault in checked.faults:
        session.complain("PSL-304", fault.text(language()))
    if not checked.faults:
        one = mark("The ledger is as it was written: {count} entry.")
        several = mark("The ledger is as it was written: {count} entries.")
        session.print(counted(checked.count, one, several))
    session.print(_("Anchor: {anchor}", anchor=checked.anchor))
    return REFUSED if checked.faults else 0


@command(
    "trace",
    mark(
        "List each extract that holds a record, for whom it was made, and who downloaded it.\n\n"
        "The record is named by its record_id, as in the tables."
    ),
    "passerelle ledger trace 3f0c9a…",
    earlier="audit who",
)
def trace(
    session: Session,
    record_id: Annotated[str, argument(mark("RECORD_ID"), mark("its record_id, in full"))],
) -> None:
    from pipelines.ledger.holders import holdings_of

    found = holdings_of(session.settings, record_id)
    if session.is_json:
        session.print_json([asdict(one) for one in found])
        return
    if not found:
        session.print(_("No extract holds this record."))
        return
    headings = (_("Extract"), _("Made"), _("By"), _("For"), _("Clause"), _("Downloaded"))
    grid = table(*headings, whole=[1])
    for one in found:
        grid.add_row(*_cells(one))
    session.print(grid)


def _cells(one: Holding) -> list[str]:
    as_count = _("counted") if one.form == "counts" else ""
    taken = [f"{_moment(download.at)} {download.by}" for download in one.downloads]
    return [
        one.extract_id,
        _moment(one.made_at),
        one.made_by or _("not in the ledger"),
        " · ".join(filter(None, (one.recipient, one.purpose))),
        " · ".join(filter(None, (one.clause, as_count))),
        listed(taken) or _("never"),
    ]


@command(
    "list",
    mark("Show the newest entries of the ledger, all or some."),
    "passerelle ledger list --event extract.downloaded --limit 100",
    earlier="audit list",
)
def list_entries(
    session: Session,
    event: Annotated[
        list[str] | None,
        option("--event", mark("EVENT"), mark("only this event; may be given more than once")),
    ] = None,
    actor: Annotated[str, option("--actor", mark("NAME"), mark("only what this account did"))] = "",
    subject: Annotated[
        str,
        option(
            "--subject", mark("NAME"), mark("only what is about this delivery, extract or account")
        ),
    ] = "",
    limit: Annotated[
        int, option("--limit", mark("NUMBER"), mark("how many entries"), min=1, max=MOST_SHOWN)
    ] = SHOWN,
) -> None:
    from pipelines.ledger.chain import EVENTS, entries
    from pipelines.ledger.words import event_words

    for name in event or []:
        if name not in EVENTS:
            message = _("There is no event named “{name}”.", name=name)
            hint = _("There are: {names}.", names=listed(list(EVENTS)))
            raise no_such(message, name, list(EVENTS), "PSL-232", hint)
    found = entries(
        session.settings, events=event or (), actor=actor, subject=subject, page=1, size=limit
    )
    if session.is_json:
        session.print_json([asdict(one) for one in found.entries])
        return
    grid = table(_("No."), _("When"), _("What"), _("Who"), _("About"), numbers=[0], whole=[1])
    for one in found.entries:
        words = event_words(one.event, language())
        grid.add_row(number(one.seq), _moment(one.at), words, _actor(one), one.subject)
    session.print(grid)
    _tell_rest(session, found.total - len(found.entries))


def _tell_rest(session: Session, rest: int) -> None:
    if rest > 0:
        one, several = mark("… and {count} older entry."), mark("… and {count} older entries.")
        session.print(counted(rest, one, several))


def _actor(entry: Entry) -> str:
    return entry.actor if entry.actor else _("unknown")


def _moment(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"


NOUN = noun(
    "ledger",
    mark("The ledger: read it, check it, see who holds a record."),
    list_entries,
    verify,
    trace,
)

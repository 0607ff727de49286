"""The commands `agreement …`: list sharing agreements, check, explain and compare them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, day_of, flag, noun, option
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, language, listed, number
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.release.policy.changes import Change, Direction
    from pipelines.release.policy.explain import ClauseWords, Explanation
    from schemas.agreement import Agreement
    from schemas.problem import AgreementProblem

DAY_HELP = mark("a day, such as 2026-11-30; else today")
STATES = {"in_force": mark("in force"), "expired": mark("ended"), "not_yet": mark("not begun")}
LEVELS = {"error": mark("error"), "warning": mark("warning"), "note": mark("note")}
DIRECTIONS: dict[Direction, str] = {
    "wider": mark("Wider: more may leave"),
    "narrower": mark("Narrower: less may leave"),
    "changed": mark("Changed: what may leave stays as it was"),
}


@command(
    "list",
    mark("List the sharing agreements: between whom, until when, and how many clauses."),
    "passerelle agreement list",
)
def list_agreements(
    session: Session, day: Annotated[str, option("--as-of", mark("DAY"), DAY_HELP)] = ""
) -> None:
    from pipelines.release.policy.wording import organisation_names
    from schemas.agreement_folder import load_agreements

    as_of = day_of(day)
    agreements = load_agreements(session.settings.agreements)
    if session.is_json:
        session.print_json([_row(one, as_of) for one in agreements])
        return
    grid = table(
        _("Agreement"), _("Until"), _("State"), _("Clauses"), _("Parties"), numbers=[3], whole=[0]
    )
    for one in agreements:
        parties = organisation_names(one.parties, language())
        clauses = number(len(one.permits) + len(one.restrictions))
        grid.add_row(
            one.agreement, str(one.valid_until), _state(one, as_of), clauses, listed(parties)
        )
    session.print(grid)
    session.print()
    session.print(
        _(
            "What one may have: {command}",
            command="passerelle agreement explain --recipient minusca_unpol --table incidents",
        )
    )


@command(
    "check",
    mark(
        "Look for mistakes in sharing agreements: unknown names, missing protections, dates.\n\n"
        "Without a name, every agreement is checked. An error makes all of them unusable until it "
        "is mended: nothing leaves by a file that is half understood."
    ),
    "passerelle agreement check schemas/agreements/caf_minusca.yaml",
)
def check(
    session: Session,
    files: Annotated[
        list[Path] | None, argument(mark("FILE"), mark("files of agreements, or a folder of them"))
    ] = None,
    day: Annotated[str, option("--as-of", mark("DAY"), DAY_HELP)] = "",
) -> int:
    as_of = day_of(day)
    paths = [path for place in files or [session.settings.agreements] for path in _files(place)]
    found = _problems(paths, session.settings.agreements, as_of)
    errors = [one for _path, one in found if one.level == "error"]
    if session.is_json:
        session.print_json([_problem(path, one) for path, one in found])
        return REFUSED if errors else 0
    grid = table(
        _("Agreement"), _("Errors"), _("Warnings"), _("Notes"), _("Verdict"), numbers=[1, 2, 3]
    )
    for path in paths:
        levels = [one.level for other, one in found if other == path]
        counts = [levels.count(level) for level in ("error", "warning", "note")]
        verdict = _("to be mended") if counts[0] else _("good")
        grid.add_row(path.name, *map(number, counts), verdict)
    session.print(grid)
    for path, one in found:
        _show_problem(session, path, one)
    return REFUSED if errors else 0


@command(
    "explain",
    mark(
        "Say in words what of a table may go to a recipient, and why.\n\n"
        "Which rows and columns leave by which clause, how coarse and how late, what the "
        "providers’ restrictions hide, and what does not leave and why not."
    ),
    "passerelle agreement explain --recipient minusca_unpol --table incidents",
)
def explain(
    session: Session,
    recipient: Annotated[
        str, option("--recipient", mark("ORGANISATION"), mark("the organisation or unit"))
    ],
    table_name: Annotated[str, option("--table", mark("TABLE"), mark("the table"))],
    purpose: Annotated[
        str | None, option("--purpose", mark("PURPOSE"), mark("one purpose only"))
    ] = None,
    day: Annotated[str, option("--as-of", mark("DAY"), DAY_HELP)] = "",
) -> None:
    from pipelines.release.policy.explain import explain as explained
    from schemas.agreement_folder import load_agreements

    said = explained(
        load_agreements(session.settings.agreements),
        recipient=recipient,
        table=table_name,
        purpose=purpose,
        as_of=day_of(day),
        language=language(),
    )
    if session.is_json:
        session.print_json(said.as_dict())
    else:
        _show_explanation(session, said)


@command(
    "diff",
    mark(
        "Compare two versions of agreements: what widened, what narrowed, what merely changed.\n\n"
        "With --fail-if-wider the exit code is 3 where more may leave than before."
    ),
    "passerelle agreement diff old/caf_minusca.yaml new/caf_minusca.yaml",
)
def diff(
    session: Session,
    old: Annotated[Path, argument(mark("OLD"), mark("a file or folder as it was"))],
    new: Annotated[Path, argument(mark("NEW"), mark("the same as it is to be"))],
    fail_if_wider: Annotated[
        bool, flag("--fail-if-wider", mark("exit code 3 where more may leave"))
    ] = False,
) -> int:
    from pipelines.release.policy.changes import diff as changes_between
    from pipelines.release.policy.changes import is_wider
    from schemas.agreement_folder import load_agreement

    sides = [[load_agreement(path) for path in _files(place)] for place in (old, new)]
    changes = changes_between(*sides)
    if session.is_json:
        session.print_json([_change(one) for one in changes])
    else:
        _show_changes(session, changes)
    return REFUSED if fail_if_wider and is_wider(changes) else 0


def _files(place: Path) -> list[Path]:
    """The agreements of a file or folder. Raises CommandError where there is none."""
    from schemas.agreement_folder import agreement_files

    if place.is_file():
        return [place]
    if found := agreement_files(place):
        return found
    raise CommandError("PSL-231", _("There is no agreement in “{place}”.", place=place))


def _problems(
    paths: list[Path], folder: Path, as_of: dt.date
) -> list[tuple[Path, AgreementProblem]]:
    """What is wrong with each file; the agreements beside it, and those in use, restrict it."""
    from schemas.agreement_check import problems
    from schemas.agreement_folder import agreement_files, load_agreement
    from schemas.problem import AgreementError

    loaded: dict[Path, Agreement] = {}
    found: list[tuple[Path, AgreementProblem]] = []
    beside = {*paths, *agreement_files(folder)}
    for path in sorted(beside):
        try:
            loaded[path] = load_agreement(path)
        except AgreementError as error:
            found += [(path, one) for one in error.problems if path in paths]
    in_use = [one for path, one in loaded.items() if path not in paths]
    checked = [one for path, one in loaded.items() if path in paths]
    for path in paths:
        if mine := loaded.get(path):
            # By name: what is being checked stands for the same agreement that is in use.
            named = {one.agreement: one for one in [*in_use, *checked, mine]}
            others = [one for one in named.values() if one is not mine]
            found += [(path, one) for one in problems(mine, as_of=as_of, others=others)]
    return found


def _place(path: Path, one: AgreementProblem) -> str:
    """Where a problem is: `caf_minusca.yaml:12: permits[0].rows`."""
    from schemas.agreement_folder import dotted
    from schemas.lines import line_of

    if not one.loc:
        return one.where
    return f"{path.name}:{line_of(path, one.loc)}: {dotted(one.loc)}"


def _show_problem(session: Session, path: Path, one: AgreementProblem) -> None:
    from rich.text import Text

    colour = {"error": "bold red", "warning": "yellow", "note": "dim"}[one.level]
    session.print()
    session.print(Text.assemble((f"{one.code}  ", colour), (_place(path, one), "dim")))
    session.print(Text(f"{_(LEVELS[one.level])}: {one.sentence(language())}"))


def _problem(path: Path, one: AgreementProblem) -> dict[str, Any]:
    return {
        "file": str(path),
        "code": one.code,
        "level": one.level,
        "where": _place(path, one),
        "message": one.sentence(language()),
    }


def _state(one: Agreement, day: dt.date) -> str:
    state = _(STATES[_state_code(one, day)])
    return _("{state}, illustrative", state=state) if one.status == "illustrative" else state


def _state_code(one: Agreement, day: dt.date) -> str:
    if one.is_in_force(day):
        return "in_force"
    return "expired" if day > one.valid_until else "not_yet"


def _row(one: Agreement, day: dt.date) -> dict[str, Any]:
    return {
        "agreement": one.agreement,
        "version": one.version,
        "status": one.status,
        "title": one.title[language()],
        "parties": list(one.parties),
        "valid_from": one.valid_from,
        "valid_until": one.valid_until,
        "state": _state_code(one, day),
        "permits": [permit.full_name for permit in one.permits],
        "restrictions": [restriction.full_name for restriction in one.restrictions],
        "standing": [standing.name for standing in one.standing],
    }


def _show_explanation(session: Session, said: Explanation) -> None:
    from rich.text import Text

    session.print(Text(said.title, style="bold"))
    session.print()
    if said.refusal:
        session.print(said.refusal)
        session.print()
    headings = (
        (_("What leaves"), said.permits),
        (_("What providers hold back of it"), said.restrictions),
    )
    for heading, clauses in headings:
        if clauses:
            session.print(Text(heading, style="bold"))
            session.print()
        for one in clauses:
            _show_clause(session, one)
    if said.stays:
        session.print(Text(_("What does not leave, and why not"), style="bold"))
        session.print()
        grid = table(_("What"), _("Why not"))
        for what, why in said.stays:
            grid.add_row(what, why)
        session.print(grid)
        session.print()
    session.print(Text(said.footing, style="dim"))


def _show_clause(session: Session, one: ClauseWords) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    session.print(Text.assemble((one.clause, "cyan"), f"  {one.summary}"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column()
    for question, answer in one.answers:
        grid.add_row(question, answer)
    session.print(Padding(grid, (0, 0, 1, 2)))


def _change(one: Change) -> dict[str, Any]:
    return {"direction": one.direction, "where": one.where, "message": one.text(language())}


def _show_changes(session: Session, changes: list[Change]) -> None:
    from rich.text import Text

    if not changes:
        session.print(_("No difference."))
    for direction, heading in DIRECTIONS.items():
        mine = [one for one in changes if one.direction == direction]
        if mine:
            session.print(Text(_(heading), style="bold"))
            grid = table(_("Where"), _("What"), whole=[0])
            for one in mine:
                grid.add_row(one.where, one.text(language()))
            session.print(grid)
            session.print()


NOUN = noun(
    "agreement",
    mark("Who may have what: list, check, explain and compare sharing agreements."),
    list_agreements,
    check,
    explain,
    diff,
)

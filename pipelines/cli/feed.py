"""The commands `feed …`: list the feeds, propose a new one, check one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pipelines.cli.declare import argument, command, noun, option
from pipelines.cli.errors import REFUSED, CommandError, no_such
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, language, listed, number, quoted
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.authoring.check import CheckedFile


@command(
    "list",
    mark("List the feeds: who sends what, and which table it fills."),
    "passerelle feed list",
)
def list_feeds(session: Session) -> None:
    from schemas.feed import feed_problems, load_feeds

    feeds = load_feeds()
    if session.is_json:
        session.print_json([_row(feed) for feed in feeds])
        for problem in feed_problems():  # not into what a machine reads as one list
            session.err.print(f"{problem.code}  {problem.text(language())}", soft_wrap=True)
        return
    grid = table(_("Feed"), _("Table"), _("What it is"), whole=[0, 1])
    for feed in feeds:
        grid.add_row(feed.feed, feed.table, feed.title[language()])
    session.print(grid)
    session.print()
    session.print(_("A file for a feed goes to {place}.", place=session.settings.inbox / "<feed>"))
    for problem in feed_problems():
        hint = _("Until that is mended this feed is not loaded; all others are.")
        session.complain(problem.code, problem.text(language()), hint if problem.line else "")


def _row(feed: Any) -> dict[str, Any]:
    return {
        "feed": feed.feed,
        "version": feed.version,
        "table": feed.table,
        "source": feed.source,
        "status": feed.status,
        "title": feed.title[language()],
        "language": feed.language,
        "handling": feed.handling,
        "expected_every_days": feed.expected_every_days,
        "formats": [layout.format for layout in feed.file],
    }


@command(
    "new",
    mark(
        "Propose the feed.yaml of a new feed from a sample file.\n\n"
        "It guesses encoding, delimiter, header row, date formats, decimal sign and which column "
        "is which. Every doubt is marked “# ?” for you to settle."
    ),
    "passerelle feed new registre_mars.csv --target incidents",
)
def new(
    session: Session,
    sample: Annotated[Path, argument(mark("SAMPLE"), mark("a file as the service sends it"))],
    target: Annotated[str, option("--target", mark("TABLE"), mark("the table that it fills"))],
    output: Annotated[
        Path | None, option("--output -o", mark("FOLDER"), mark("folder to write; else one here"))
    ] = None,
) -> None:
    from pipelines.authoring.guess import propose_feed
    from schemas.contract import table_names
    from schemas.feed import VARIABLE, feed_folders, schema_line

    if not sample.is_file():
        raise CommandError("PSL-405", _("There is no file {file}.", file=sample))
    if target not in table_names("data"):
        message = _("There is no table “{name}”.", name=target)
        hint = _("Tables that feeds fill: {names}", names=listed(table_names("data")))
        raise no_such(message, target, table_names("data"), "PSL-221", hint)
    folder = output or Path(_as_name(sample.stem) or "feed")
    place = folder / "feed.yaml"
    if place.exists():
        message = _("{file} exists already.", file=place)
        raise CommandError("PSL-224", message, _("Name another folder: {command}", command="-o …"))
    with session.progress(_("Reading")) as advance:
        advance(0, 1, sample.name)
        text = propose_feed(sample, target, _as_name(folder.resolve().name))
    folder.mkdir(parents=True, exist_ok=True)
    place.write_text(f"{schema_line(folder)}\n{text}", encoding="utf-8")
    doubts = sum("# ?" in line for line in text.splitlines()[1:])
    if session.is_json:
        session.print_json({"file": str(place), "doubts": doubts})
        return
    session.print_line(_("Written: {file}", file=place))
    session.print(_("Doubts to settle, marked “# ?”: {count}", count=number(doubts)))
    check = f"passerelle feed check {quoted(folder)}"
    session.print_line(_("Then: {command}", command=check))
    if (parent := folder.absolute().parent) not in feed_folders():
        session.print_line(_("So that it is found: {command}", command=f"{VARIABLE}={parent}"))


@command(
    "check",
    mark(
        "Run a feed's examples and counterexamples, and look for mistakes in its declaration.\n\n"
        "An example must pass without a rejection; a counterexample must raise the code that its "
        "file name begins with. Without a name, every feed is checked."
    ),
    "passerelle feed check schemas/feeds/caf_gendarmerie_incidents",
)
def check(
    session: Session,
    folders: Annotated[
        list[str] | None, argument(mark("FOLDER"), mark("folders of feeds, or names of feeds"))
    ] = None,
) -> int:
    from pipelines.authoring.check import check_feed
    from schemas.feed import feed_places, feed_problems
    from schemas.problem import ContractError, ContractProblem

    places = [_folder(text) for text in folders or sorted(feed_places())]
    results = []
    faults: dict[ContractProblem, None] = {}  # each once, whichever feeds fill the table
    with session.progress(_("Checking")) as advance:
        for done, place in enumerate(places):
            advance(done, len(places), place.name)
            try:
                found = check_feed(session.settings.prepare(), place)
            except ContractError as error:
                faults |= dict.fromkeys(error.problems)
            else:
                results += [(place.name, one) for one in found]
    # What is wrong with a declaration is among the results.
    names = {place.name for place in places}
    faults |= dict.fromkeys(one for one in feed_problems(names) if not one.line)
    wrong = [one for _name, one in results if not one.is_ok]
    if session.is_json:
        session.print_json([_checked(name, one) for name, one in results])
    else:
        if results:
            _show_checked(session, results)
        for one in wrong:
            session.complain("PSL-302", _short(one.path), "\n".join(one.problems))
    for fault in faults:
        session.complain(fault.code, fault.text(language()))
    return REFUSED if wrong or faults else 0


def require_feed(feed: str) -> None:
    """Raise CommandError with the nearest name for no feed, ContractError for a faulty one."""
    from schemas.feed import UnknownFeedError, feed_names, load_feed

    try:
        load_feed(feed)
    except UnknownFeedError:
        message = _("There is no feed named “{name}”.", name=feed)
        hint = _("See: {command}", command="passerelle feed list")
        raise no_such(message, feed, feed_names(), "PSL-210", hint) from None


def _as_name(text: str) -> str:
    """The name of a feed as the name of a folder gives it."""
    return re.sub(r"\W+", "_", text.lower()).strip("_")


def _short(path: Path) -> str:
    """A path as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _folder(text: str) -> Path:
    """A folder with a feed.yaml, by its path or by the name of a declared feed."""
    from schemas.feed import feed_places

    if (Path(text) / "feed.yaml").is_file():
        return Path(text).resolve()
    if place := feed_places().get(text):
        return place
    message = _("“{name}” is neither the folder of a feed nor its name.", name=text)
    hint = _("See: {command}", command="passerelle feed list")
    raise no_such(message, text, list(feed_places()), "PSL-223", hint)


def _checked(name: str, one: CheckedFile) -> dict[str, Any]:
    return {
        "feed": name,
        "file": one.path.name,
        "expects": one.expects,
        "ok": one.is_ok,
        "rows_read": one.rows_read,
        "rows_accepted": one.rows_accepted,
        "raised": one.raised,
        "problems": list(one.problems),
        "untested": list(one.untested),
    }


def _verdict(mine: list[CheckedFile]) -> str:
    if not all(one.is_ok for one in mine):
        return _("to be mended")
    if families := [family for one in mine for family in one.untested]:
        return _("good, but untested: {families}", families=", ".join(families))
    return _("good")


def _show_checked(session: Session, results: list[tuple[str, CheckedFile]]) -> None:
    grid = table(
        _("Feed"),
        _("Examples"),
        _("Counterexamples"),
        _("Codes raised"),
        _("Verdict"),
        numbers=[1, 2, 3],
    )
    for name in dict.fromkeys(name for name, _one in results):
        mine = [one for other, one in results if other == name]
        files = [one for one in mine if one.path.name != "feed.yaml"]
        grid.add_row(
            name,
            number(sum(not one.expects for one in files)),
            number(sum(bool(one.expects) for one in files)),
            number(len({one.expects for one in files if one.expects and one.is_ok})),
            _verdict(mine),
        )
    session.print(grid)


NOUN = noun(
    "feed",
    mark("What services send: list the feeds, start a new one, check one."),
    list_feeds,
    new,
    check,
)

"""The commands `backup make` and `backup restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, flag, noun, option
from pipelines.cli.errors import REFUSED, CommandError
from pipelines.cli.session import Session
from pipelines.cli.words import _, language, number
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.backup.restore import Restoration

STEPS = {
    "unpack": mark("Unpacking and comparing with the hashes"),
    "ledger": mark("Looking through the ledger"),
    "place": mark("Putting it in place"),
    "lake": mark("Comparing tables, files and deliveries"),
}


@command(
    "make",
    mark(
        "Back everything up into one file, while everything goes on running.\n\n"
        "It holds deliveries, tables, gazetteers, agreements, extracts, the ledger and the "
        "accounts, so it needs the protection of the strictest delivery. The keys are not in it: "
        "keep a copy of the folder “secrets” apart. With --with-secrets they are, and whoever has "
        "that file can forge extracts and the ledger, and guess document numbers."
    ),
    "passerelle backup make /media/disk/passerelle-2026-03-01.tar.zst",
    earlier="backup",
)
def make(
    session: Session,
    target: Annotated[Path, argument(mark("FILE"), mark("a new file: .tar.zst or .tar.gz"))],
    with_secrets: Annotated[
        bool, flag("--with-secrets", mark("put the keys in too; see above"))
    ] = False,
) -> None:
    from pipelines.backup.make import make_backup

    target = target.expanduser().resolve()
    if not target.parent.is_dir():
        raise CommandError("PSL-251", _("There is no folder {place}.", place=target.parent))
    with session.progress(_("Backing up")) as advance:
        done = make_backup(session.settings, target, with_secrets=with_secrets, on_progress=advance)
    if session.is_json:
        session.print_json(vars(done))
        return
    session.print(
        _(
            "Backed up: {count} files, {size} MB, in {file}",
            count=number(done.files),
            size=number(round(done.bytes / 1e6)),
            file=done.file,
        )
    )
    session.print(_("SHA-256 of the file: {hash}", hash=done.sha256))
    _tell_what_is_missing(session, done.left_out, done.with_secrets)


@command(
    "restore",
    mark(
        "Start again from a backup, in an empty home.\n\n"
        "Every file is compared with its hash and the ledger is looked through before anything is "
        "put in place; then the tables are shown at their new place and compared with the "
        "deliveries. Everybody has to sign in anew."
    ),
    "passerelle backup restore backup.tar.zst --home /srv/passerelle \\\n  --secrets /media/key",
    earlier="restore",
)
def restore(
    session: Session,
    source: Annotated[Path, argument(mark("FILE"), mark("the backup"))],
    secrets: Annotated[
        Path | None,
        option("--secrets", mark("FOLDER"), mark("the keys, where they are kept apart")),
    ] = None,
    although_tampered: Annotated[
        bool, flag("--although-tampered", mark("also where the ledger is not as it was written"))
    ] = False,
) -> int:
    from pipelines.backup.restore import restore as bring_back

    for place in filter(None, (source, secrets)):
        if not place.exists():
            raise CommandError("PSL-405", _("There is no file {file}.", file=place))
    with session.progress(_("Restoring")) as advance:
        order = list(STEPS)
        done = bring_back(
            session.settings,
            source,
            secrets=secrets,
            although_tampered=although_tampered,
            language=language(),
            on_step=lambda step: advance(order.index(step), len(order), _(STEPS[step])),
        )
    if session.is_json:
        session.print_json(vars(done))
    else:
        _tell_restored(session, done)
    return REFUSED if done.problems else 0


def _tell_restored(session: Session, done: Restoration) -> None:
    for problem in done.problems:
        session.complain("PSL-306", problem)
    session.print(
        _(
            "Restored: {count} files, {entries} entries of the ledger, in {place}",
            count=number(done.files),
            entries=number(done.entries),
            place=session.settings.home,
        )
    )
    if not done.has_keys:
        session.print(
            _(
                "The keys did not come back: new tokens of documents will not match old ones, "
                "second factors must be set up again, and extracts are signed with a new key."
            )
        )
    if done.are_agreements_other:
        place = session.settings.home / "agreements"
        session.print(
            _("Other agreements were in force: set PASSERELLE_AGREEMENTS={place}", place=place)
        )
    if done.are_feeds_other:
        place = session.settings.home / "feeds"
        session.print(_("Feeds lay outside the program: set PASSERELLE_FEEDS={place}", place=place))
    if not done.problems:
        session.print(_("Tables, files and deliveries agree."))


def _tell_what_is_missing(session: Session, left_out: tuple[str, ...], with_secrets: bool) -> None:
    if "database" in left_out:
        session.print(
            _("The ledger and the accounts are in PostgreSQL: back them up with pg_dump, now.")
        )
    for name in left_out:
        if name != "database":
            place = getattr(session.settings, name)
            session.print(_("Not in it, because it lies elsewhere: {place}", place=place))
    if with_secrets:
        session.print(_("The keys are in it. Keep it where the keys may be, and nowhere else."))
    else:
        place = session.settings.secrets
        session.print(_("The keys are not in it. Keep a copy of {place} apart.", place=place))


NOUN = noun(
    "backup", mark("One file to start again from: make it, restore from it."), make, restore
)

"""The list of commands in the order of a person's day, and how one of them is run.

Not here: what they do (the modules named below).
"""

from __future__ import annotations

from collections.abc import Sequence

import typer

from pipelines.cli import (
    agreement,
    backup,
    consents,
    contracts,
    deliveries,
    delivery,
    dictionary,
    feeds,
    ingest,
    lake,
    ledger,
    migration,
    query,
    release,
    serving,
    status,
    tour,
    users,
)
from pipelines.cli.declare import CommandSpec
from pipelines.cli.help import Command, CommandGroup
from pipelines.cli.session import Session
from pipelines.core.i18n import mark

ABOUT = mark(
    "Passerelle takes in what police services and UN Police missions send, checks it, tells the "
    "sender what was wrong, and publishes tables that DuckDB opens anywhere."
)
ABOUT_DELIVERY = mark(
    "One delivery, or those of a feed: say what it is, judge again what was accepted."
)
ABOUT_CONTRACT = mark("What the tables promise, for other programs.")
ABOUT_FEED = mark("What services send: list the feeds, start a new one, check one.")
ABOUT_AGREEMENT = mark("Who may have what: list, check, explain and compare sharing agreements.")
ABOUT_CONSENT = mark("Counts that were refused, and the providers’ written consents to them.")
ABOUT_KEY = mark("The key with which extracts are signed: show and hand out its public half.")
ABOUT_LAKE = mark("Upkeep of the published tables.")
ABOUT_AUDIT = mark("The ledger: check it, read it, see who holds a record.")
ABOUT_USER = mark("Accounts of the portal: who may sign in, from where, with which roles.")
ABOUT_REFERENCE = mark("Gazetteers from their publishers' files.")


def build() -> typer.Typer:
    """All the commands."""
    app = _group(ABOUT, "passerelle demo")
    _add(app, tour.demo, ingest.ingest, ingest.run)
    _add(app, deliveries.deliveries, deliveries.rejections, status.status)
    one_delivery = _group(ABOUT_DELIVERY, "passerelle delivery rejudge caf_police_incidents")
    _add(one_delivery, delivery.answer, delivery.rejudge)
    app.add_typer(one_delivery, name="delivery")
    _add(app, query.sql, dictionary.tables, dictionary.dictionary)
    feed = _group(ABOUT_FEED, "passerelle feed list")
    _add(feed, feeds.list_feeds, feeds.new, feeds.check)
    app.add_typer(feed, name="feed")
    contract = _group(ABOUT_CONTRACT, "passerelle contract render contracts")
    _add(contract, contracts.render)
    app.add_typer(contract, name="contract")
    agreements = _group(ABOUT_AGREEMENT, "passerelle agreement list")
    _add(agreements, agreement.list_agreements, agreement.check, agreement.explain, agreement.diff)
    app.add_typer(agreements, name="agreement")
    _add(app, release.extract, release.verify)
    consent = _group(ABOUT_CONSENT, "passerelle consent list")
    _add(consent, consents.list_consents, consents.give, consents.revoke)
    app.add_typer(consent, name="consent")
    keys = _group(ABOUT_KEY, "passerelle key show")
    _add(keys, release.show_key, release.export_key)
    app.add_typer(keys, name="key")
    lakes = _group(ABOUT_LAKE, "passerelle lake check")
    _add(lakes, lake.compact, lake.vacuum, lake.check, migration.migrate)
    app.add_typer(lakes, name="lake")
    reference = _group(ABOUT_REFERENCE, "passerelle reference load caf_adminboundaries.xlsx")
    _add(reference, lake.load)
    app.add_typer(reference, name="reference")
    audit = _group(ABOUT_AUDIT, "passerelle audit verify")
    _add(audit, ledger.verify, ledger.who, ledger.list_entries)
    app.add_typer(audit, name="audit")
    user = _group(ABOUT_USER, "passerelle user list")
    _add(user, users.add, users.list_users, users.password, users.role, users.feeds)
    _add(user, users.disable, users.enable)
    app.add_typer(user, name="user")
    _add(app, backup.backup, backup.restore, serving.serve)
    return app


def run(arguments: Sequence[str], session: Session) -> int:
    """Run the command that `arguments` name; returns its exit code."""
    command = typer.main.get_command(build())
    code = command.main(
        args=list(arguments), prog_name="passerelle", standalone_mode=False, obj=session
    )
    return code if isinstance(code, int) else 0


def _group(about: str, example: str) -> typer.Typer:
    group = typer.Typer(
        cls=CommandGroup,
        help=about,
        epilog=example,
        add_completion=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )

    @group.callback()
    def show_help(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())

    return group


def _add(group: typer.Typer, *commands: CommandSpec) -> None:
    for one in commands:
        register = group.command(one.name, cls=Command, help=one.about, epilog=one.example)
        register(one.function)

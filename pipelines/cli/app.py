"""The list of commands in the order of a person's day, and how one of them is run.

A command is a noun and a verb; what is typed every day is a word of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer

from pipelines.cli import (
    agreement,
    backup,
    codelist,
    consent,
    contract,
    delivery,
    demo,
    extract,
    feed,
    ingest,
    key,
    lake,
    ledger,
    reference,
    serve,
    sql,
    status,
    table,
    user,
    verify,
)
from pipelines.cli.declare import CommandSpec
from pipelines.cli.help import Command, CommandGroup
from pipelines.cli.session import Session
from pipelines.core.i18n import mark

ABOUT = mark(
    "Passerelle takes in what police services and UN Police missions send, checks it, tells the "
    "sender what was wrong, and publishes tables that DuckDB opens anywhere."
)
DAILY = (demo.demo, ingest.ingest, ingest.run, status.status, sql.sql, verify.verify, serve.serve)
NOUNS = tuple(
    module.NOUN
    for module in (
        *(delivery, table, codelist),
        *(extract, agreement, consent, ledger, key),
        *(feed, contract, reference, lake, backup, user),
    )
)


def aliases() -> dict[str, str]:
    """What one typed in earlier versions, and the command that it is now."""
    return {
        verb.earlier: f"{one.name} {verb.name}"
        for one in NOUNS
        for verb in one.verbs
        if verb.earlier
    }


def in_full(arguments: Sequence[str]) -> list[str]:
    """The command as it is called now, where it is typed as in earlier versions.

    After a word that is a noun by now (`backup FILE`), a verb is taken for a verb.
    """
    verbs = {one.name: [verb.name for verb in one.verbs] for one in NOUNS}
    for earlier, now in aliases().items():
        words = earlier.split()
        rest = list(arguments[len(words) :])
        is_noun = earlier in verbs and (not rest or rest[0] in (*verbs[earlier], "--help", "-h"))
        if list(arguments[: len(words)]) == words and not is_noun:
            return [*now.split(), *rest]
    return list(arguments)


def build() -> typer.Typer:
    """All the commands."""
    app = _group(ABOUT, demo.demo.example)
    _add(app, DAILY)
    for one in NOUNS:
        group = _group(one.about, one.verbs[0].example)
        _add(group, one.verbs)
        app.add_typer(group, name=one.name)
    return app


def run(arguments: Sequence[str], session: Session) -> int:
    """Run the command that `arguments` name; returns its exit code."""
    command = typer.main.get_command(build())
    code = command.main(
        args=in_full(arguments), prog_name="passerelle", standalone_mode=False, obj=session
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


def _add(group: typer.Typer, commands: Sequence[CommandSpec]) -> None:
    for one in commands:
        register = group.command(one.name, cls=Command, help=one.about, epilog=one.example)
        register(_with_context(one.function))


def _with_context(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a command as typer calls it: with a context, which has the session."""

    def call(context: Any, **arguments: Any) -> Any:
        return function(context.obj, **arguments)

    signature = inspect.signature(function, eval_str=True)
    session, *others = signature.parameters.values()
    context = session.replace(name="context", annotation=typer.Context)
    vars(call)["__signature__"] = signature.replace(parameters=[context, *others])
    call.__annotations__.clear()  # the signature says it all
    return call

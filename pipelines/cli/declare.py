"""How a command is declared: its verb, what its page says, an example, its function, its noun."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from pipelines.cli.errors import CommandError
from pipelines.cli.words import _


@dataclass(frozen=True)
class CommandSpec:
    """One command. `about` is an English sentence for the catalogues; blank lines part it.

    `earlier` is what one typed for it in earlier versions, and still may; it is on no page.
    """

    name: str
    about: str
    example: str
    function: Callable[..., Any]
    earlier: str = ""


@dataclass(frozen=True)
class Noun:
    """A thing and what can be done with it: `passerelle <noun> <verb>`."""

    name: str
    about: str
    verbs: tuple[CommandSpec, ...]


def command(
    name: str, about: str, example: str, *, earlier: str = ""
) -> Callable[[Callable[..., Any]], CommandSpec]:
    """Declare the function below, which takes the session of the call first, as a command."""
    return lambda function: CommandSpec(name, about, example, function, earlier)


def noun(name: str, about: str, *verbs: CommandSpec) -> Noun:
    """Declare a noun with its verbs; the example of the first is that of its page."""
    return Noun(name, about, verbs)


def argument(metavar: str, about: str) -> Any:
    """What follows a command by its place."""
    return typer.Argument(metavar=metavar, help=about)


def option(names: str, metavar: str, about: str, **limits: int) -> Any:
    """What follows a command by its name, `--output -o` for one that has two; `min` and `max`."""
    return typer.Option(*names.split(), metavar=metavar, help=about, **limits)  # type: ignore[call-overload]


def flag(name: str, about: str) -> Any:
    """What is said or not."""
    return typer.Option(name, help=about)


def day_of(text: str) -> dt.date:
    """A day that was typed; today where none was. Raises CommandError."""
    if not text:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        message = _("“{text}” is not a day.", text=text)
        hint = _("Write it as year-month-day: {example}", example="2026-11-30")
        raise CommandError("PSL-230", message, hint) from None

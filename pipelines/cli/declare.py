"""How a command is declared: its name, what its page says, an example, and its function.

Not here: the commands, and the layout of a page (`help.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import typer

from pipelines.cli.session import Session


@dataclass(frozen=True)
class CommandSpec:
    """One command. `about` is an English sentence for the catalogues; blank lines part it."""

    name: str
    about: str
    example: str
    function: Callable[..., Any]


def command(name: str, about: str, example: str) -> Callable[[Callable[..., Any]], CommandSpec]:
    """Declare the function below as a command."""
    return lambda function: CommandSpec(name, about, example, function)


def session_of(context: typer.Context) -> Session:
    """The session of this call."""
    return cast(Session, context.obj)

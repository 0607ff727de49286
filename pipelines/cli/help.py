"""The `--help` pages: one calm layout, in the language of the call, each with an example."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from pipelines.cli.common_options import HELP as EVERYWHERE
from pipelines.cli.errors import no_such
from pipelines.cli.session import console
from pipelines.cli.words import _
from pipelines.core.i18n import mark

WIDEST = 100
ENDINGS = mark(
    "0 done, even where rows were rejected · 2 not understood · 3 a delivery was refused or a "
    "check did not pass · 4 a place cannot be reached · 5 an error inside Passerelle · 130 stopped"
)


class Command(TyperCommand):
    """A command whose help page is ours; `epilog` holds example lines."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(_page(self, ctx, []))


class CommandGroup(TyperGroup):
    """A group of commands whose help page is ours, and which knows near names."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        groups = {name for name, one in self.commands.items() if isinstance(one, TyperGroup)}
        rows = [(name, _first(one.help)) for name, one in self.commands.items()]
        daily = [row for row in rows if row[0] not in groups]
        sections: list[RenderableType] = [_section(_("Commands"), daily)]
        if groups:
            nouns = [row for row in rows if row[0] in groups]
            sections.append(_section(_("Nouns, each with its verbs: passerelle NOUN VERB"), nouns))
        formatter.write(_page(self, ctx, sections))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command. Raises CommandError with the nearest name where there is none."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            message = _("There is no command “{name}”.", name=f"{ctx.command_path} {args[0]}")
            hint = _("See: {command}", command=f"{ctx.command_path} --help")
            raise no_such(message, args[0], list(self.commands), "PSL-208", hint)
        return super().resolve_command(ctx, args)


def _page(command: Any, context: Any, sections: list[RenderableType]) -> str:
    """The page as text, with colours where standard output is a terminal."""
    out = console(sys.stdout)
    out.width = min(out.width, WIDEST)
    with out.capture() as page:
        for part in _parts(command, context, sections):
            out.print(part, crop=False)
    return "\n".join(line.rstrip() for line in page.get().splitlines()).rstrip() + "\n"


def _parts(command: Any, context: Any, sections: list[RenderableType]) -> Iterator[RenderableType]:
    parameters = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    yield Text(_usage(command, context, arguments, options) + "\n", style="bold")
    for paragraph in _(command.help).split("\n\n"):
        yield Text(paragraph + "\n")
    rows = [(_argument(p), _help(p)) for p in arguments]
    rows += [(_option(p), _help(p)) for p in options]
    if rows:
        yield _section("", rows)
    yield from sections
    yield Text(_("Example"), style="bold")
    lines = "".join(f"  {line}\n" for line in command.epilog.splitlines())
    yield Group(Text(lines, no_wrap=True, overflow="ignore"))  # each can be copied and run
    yield _section(_("With every command"), [(_(o), _(words)) for o, words in EVERYWHERE])
    if context.parent is None:
        yield Text(_("Exit codes"), style="bold")
        yield Padding(Text(_(ENDINGS)), (0, 0, 0, 2))


def _help(parameter: Any) -> str:
    return _(parameter.help) if parameter.help else ""


def _usage(command: Any, context: Any, arguments: list[Any], options: list[Any]) -> str:
    parts = [context.command_path]
    if options:
        parts.append(_("[OPTION…]"))
    parts += [_argument(p) for p in arguments]
    if isinstance(command, CommandGroup):
        parts.append(_("COMMAND"))
    return " ".join(parts)


def _argument(parameter: Any) -> str:
    name = _(parameter.human_readable_name).upper() + ("…" if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    names = ", ".join(parameter.opts)
    return names if parameter.is_flag else f"{names} {_(parameter.metavar or 'VALUE')}"


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Group:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for left, right in rows:
        grid.add_row(Text(left, style="cyan"), Text(right))
    body = Padding(grid, (0, 0, 1, 2))
    return Group(Text(title, style="bold"), body) if title else Group(body)


def _first(words: str | None) -> str:
    return _(words).split("\n\n")[0].rstrip(".") if words else ""

"""One call of the command: its settings, its language, and how it prints."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.cli.common_options import CommonOptions
from pipelines.cli.errors import CommandError
from pipelines.cli.words import _
from pipelines.core.settings import SettingError, Settings, current_settings, settings_for

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 110
ROOM_FOR_BAR = 52
_SPACE, _SIGN = r"[^\S\u00a0\u202f]", r"[\S\u00a0\u202f]"
_WORD = re.compile(f"{_SPACE}*{_SIGN}+{_SPACE}*")


class Advance(Protocol):
    """Called as work goes on: how much is done, of how much, and what is being done."""

    def __call__(self, done: int, total: int, what: str = "") -> None:
        """Move the bar."""


@dataclass(frozen=True)
class Session:
    """What a command is given. Text for people goes to `out`, complaints to `err`."""

    options: CommonOptions

    @cached_property
    def settings(self) -> Settings:
        """Where things are. Raises CommandError where an environment variable is not usable."""
        try:
            settings = current_settings()
            if self.options.home:
                settings = replace(settings, **_places(settings_for(self.options.home)))
        except SettingError as error:
            raise unusable(error) from None
        return replace(settings, language=self.options.language)

    @property
    def is_json(self) -> bool:
        """True where a machine reads the output."""
        return self.options.is_json

    @property
    def is_debug(self) -> bool:
        """True where a stack trace is wanted."""
        return self.options.is_debug

    @cached_property
    def out(self) -> Console:
        """Standard output."""
        return console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Standard error: complaints and progress."""
        return console(sys.stderr)

    def print(self, *what: Any) -> None:
        """Text for people; nothing where a machine reads."""
        if not self.is_json:
            self.out.print(*what)

    def print_line(self, line: str, style: str = "") -> None:
        """A line that will be copied, such as a command or a path: never broken by us."""
        if not self.is_json:
            from rich.text import Text

            self.out.print(Text(line, style), no_wrap=True, overflow="ignore", crop=False)

    def print_json(self, data: Any) -> None:
        """Data for machines, on standard output."""
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")

    def complain(self, code: str, message: str, hint: str = "", **more: Any) -> None:
        """A coded sentence on standard error, and below it what to do; `more` is for machines."""
        if self.is_json:
            self._complain_in_json({"error": code, "message": message, "hint": hint, **more})
            return
        from rich.text import Text

        self.err.print(Text.assemble((f"{code}  ", "bold red"), message))
        if hint:
            if "passerelle " in hint:  # a command that will be copied
                self.err.print(Text(hint, "dim"), no_wrap=True, overflow="ignore", crop=False)
            else:
                self.err.print(Text(hint, style="dim"))

    def _complain_in_json(self, complaint: dict[str, Any]) -> None:
        try:
            self.print_json(complaint)
            sys.stdout.flush()
        except OSError:  # standard output is what the complaint is about
            sys.stderr.write(json.dumps(complaint, ensure_ascii=False) + "\n")

    @contextmanager
    def progress(self, label: str) -> Iterator[Advance]:
        """A bar while something lasts; silent where nobody watches."""
        if self.is_json or not self.err.is_terminal:
            yield lambda done, total, what="": None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[what]}"),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(label, total=1, what="")

            room = max(0, self.err.width - ROOM_FOR_BAR)

            def advance(done: int, total: int, what: str = "") -> None:
                bar.update(task, completed=done, total=total, what=what[-room:] if room else "")

            yield advance


def unusable(error: ValueError) -> CommandError:
    """That an environment variable cannot be used."""
    if isinstance(error, SettingError):
        return CommandError("PSL-207", f"{error.variable} {_(error.needed)}.")
    return CommandError("PSL-207", f"{error}.")


def table(*headings: str, numbers: Sequence[int] = (), whole: Sequence[int] = ()) -> Table:
    """A plain table: headings, a rule, no frame; `numbers` to the right, `whole` never folded.

    In a terminal too narrow for it, each row is a block of its own.
    """
    from rich import box

    from pipelines.cli.adaptive_table import AdaptiveTable

    grid = AdaptiveTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for position, heading in enumerate(headings):
        is_number = position in numbers
        grid.add_column(
            heading,
            justify="right" if is_number else "left",
            no_wrap=is_number or position in whole,
            overflow="fold",
        )
    return grid


def console(stream: Any) -> Console:
    """What prints to a stream, as wide as its terminal."""
    from rich import _wrap
    from rich.console import Console

    # Rich breaks a line at any space: French sets its colons apart by spaces that do not break.
    _wrap.re_word = _WORD
    is_watched = stream.isatty() or "COLUMNS" in os.environ
    width = None if is_watched else _width_without_terminal()
    return Console(file=stream, width=width, highlight=False, markup=False)


def _width_without_terminal() -> int:
    """That of the terminal where there is one all the same (`| head`), else enough for tables."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return WIDTH_WITHOUT_TERMINAL


def _places(home: Settings) -> dict[str, Any]:
    """The places that follow `--home`, except those that the environment names."""
    names = ("home", "inbox", "landing", "lake")
    return {
        name: getattr(home, name)
        for name in names
        if name == "home" or f"PASSERELLE_{name.upper()}" not in os.environ
    }

"""How an extract is shown in a terminal.

Not here: the commands (`tests/integration/test_extract_cli.py`).
"""

from __future__ import annotations

import datetime as dt

from pipelines.cli import extract_output as released


class _Terminal:
    def __init__(self) -> None:
        self.said: list[object] = []

    def print(self, what: object = "") -> None:
        self.said.append(what)


def test_what_somebody_else_wrote_cannot_command_the_terminal() -> None:
    """A cell of a delivery or a name in a manifest may hold the signs that move the cursor."""
    terminal = _Terminal()
    hostile = "\x1b[2J\x1b]0;title\x07\u202eVer\x9b31mified"
    released._show_pairs(terminal, [("place", hostile), ("day", str(dt.date(2026, 1, 1)))])
    [grid] = terminal.said
    shown = "".join(str(cell) for column in grid.columns for cell in column.cells)
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert "ified" in shown and "2026-01-01" in shown


def test_the_spaces_of_french_stay() -> None:
    terminal = _Terminal()
    released._show_pairs(terminal, [("Lignes", "1\u202f104\u00a0: oui")])
    [grid] = terminal.said
    assert "1\u202f104\u00a0: oui" in [str(one) for one in grid.columns[1].cells]


def test_a_clause_of_somebody_elses_manifest_is_text_and_no_markup() -> None:
    terminal = _Terminal()
    flow = {"kept": "5", "coarsened": "0", "masked": {}, "dropped": {}}
    released._show_flow(terminal, [{"clause": "[bold red]x[/]\x1b[2J", **flow}])
    [grid] = [one for one in terminal.said if hasattr(one, "columns")]
    shown = [str(cell) for cell in grid.columns[0].cells]
    assert shown == ["[bold red]x[/]�[2J"]

"""Results of `sql`: numbers whole, wide rows one below the other, nothing lost in a pipe.

Not here: what may be asked (`tests/integration/test_cli.py`).
"""

from __future__ import annotations

import io
import math
from types import SimpleNamespace

import duckdb
import pytest
from rich.console import Console

from pipelines.cli import sql as query
from schemas.sqltext import whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.891, "1234567.891"),
        (123456789012.0, "123456789012"),
        (1e15, "1000000000000000"),
        (1.5e16, "15000000000000000"),
        (0.000001, "0.000001"),
        (-0.1, "-0.1"),
        (1 / 3, "0.3333333333333333"),
        (1e300, "1e+300"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_a_number_has_all_its_figures(value: float, text: str) -> None:
    assert whole(value) == text
    assert math.isnan(value) or float(text) == value


def shown(sql: str, *, is_terminal: bool, **how: object) -> tuple[str, str, list[str]]:
    """What is printed, what is said beside it, and what went through the pager."""
    paged: list[str] = []
    out, err = io.StringIO(), io.StringIO()
    console = Console(file=out, width=60, height=20, force_terminal=is_terminal, markup=False)
    # What rich hands over to the pager of the system.
    pager = SimpleNamespace(show=paged.append)
    console.pager = lambda **_: Console.pager(console, pager)  # type: ignore[method-assign]
    session = SimpleNamespace(out=console, err=Console(file=err, width=60))
    with duckdb.connect() as connection:
        query.show_result(session, connection.query(sql), **how)  # type: ignore[arg-type]
    return out.getvalue(), err.getvalue(), paged


WIDE = "SELECT range AS number, " + ", ".join(f"'text {n}' AS c{n}" for n in range(12))
WIDE += " FROM range(200)"


def test_a_wide_result_is_not_cut_in_a_pipe() -> None:
    printed, said, paged = shown(WIDE, is_terminal=False)
    assert printed.count("c11") == 200
    assert "text 11" in printed
    assert (said, paged) == ("", [])


def test_a_long_result_is_not_cut_in_a_pipe() -> None:
    printed, said, _paged = shown("SELECT range AS number FROM range(900)", is_terminal=False)
    assert "899" in printed
    assert said == ""


def test_what_does_not_fit_the_screen_is_paged() -> None:
    printed, said, [page] = shown(WIDE, is_terminal=True, is_paged=True)
    assert printed.strip() == ""
    assert page.count("c11") == 200
    assert said == ""
    printed, _said, paged = shown("SELECT 1 AS one", is_terminal=True, is_paged=True)
    assert "one" in printed
    assert paged == []


def test_without_a_pager_the_first_rows_are_shown_and_it_is_said() -> None:
    printed, said, paged = shown(WIDE, is_terminal=True)
    assert printed.count("c11") == query.ROWS_SHOWN
    assert str(query.ROWS_SHOWN) in said
    assert paged == []
    printed, said, _paged = shown(WIDE, is_terminal=False, limit=2)
    assert printed.count("c11") == 2
    assert "2" in said


def test_that_there_is_no_row_is_said_however_wide_it_would_be() -> None:
    for sql in (WIDE, "SELECT 1 AS one"):
        _printed, said, paged = shown(f"FROM ({sql}) WHERE false", is_terminal=False)
        assert said == "No row answers this.\n"
        assert paged == []

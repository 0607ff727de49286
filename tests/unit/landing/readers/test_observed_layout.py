"""What a file shows of its own layout is read and told; what is ambiguous is refused, and named.

Not here: its set of characters (`test_encoding.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from reading import codes, make_feed, read, scratch_connection

from pipelines.core.findings import DeliveryError
from pipelines.landing.excerpt import write_excerpt
from pipelines.landing.readers.read import read_text_rows

COLUMNS = ["N° PV", "Préfecture", "Tués"]
CSV = {"format": "csv", "name": "*", "delimiter": ";"}
TABLE = ["N° PV;Préfecture;Tués", "1;Kémo;2", "2;Ouaka;0"]
ROWS = [("1", "Kémo", "2"), ("2", "Ouaka", "0")]


def text(*lines: str, delimiter: str = ";") -> str:
    return "\n".join(lines).replace(";", delimiter) + "\n"


def write(folder: Path, content: str, kind: str = "csv") -> Path:
    """The lines as a delimited file, or their cells as a workbook."""
    file = folder / f"d.{kind}"
    if kind == "csv":
        file.write_text(content, encoding="utf-8")
        return file
    book = openpyxl.Workbook()
    for line in content.splitlines():
        book.active.append([cell or None for cell in line.split(";")])
    book.save(file)
    return file


def read_kind(folder: Path, content: str, kind: str = "csv", **layout: Any) -> tuple[Any, Any]:
    declared = {**CSV, "format": kind, **layout}
    return read(write(folder, content, kind), make_feed(COLUMNS, file=declared))


def told(rows: Any) -> list[str]:
    for one in rows.notes:
        assert not one.is_error
        assert "…" not in one.text("en") + one.text("fr") + one.correction("fr")
    return [one.code for one in rows.notes]


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_another_separator_is_read_where_all_headings_are_there(
    tmp_path: Path, delimiter: str
) -> None:
    rows, found = read_kind(tmp_path, text(*TABLE, delimiter=delimiter))
    assert [row[1:] for row in found] == ROWS
    assert told(rows) == ["DEL-756"]
    assert rows.layout.delimiter == delimiter


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("above", [1, 3, 19])
def test_titles_above_the_table_are_passed_over(tmp_path: Path, kind: str, above: int) -> None:
    titles = ["Registre de la brigade"] + [""] * (above - 1)
    rows, found = read_kind(tmp_path, text(*titles, *TABLE), kind)
    assert found == [(above + 2, *ROWS[0]), (above + 3, *ROWS[1])]
    assert told(rows) == ["DEL-757"]
    assert rows.notes[0].values["row"] == above + 1


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_row_of_data_above_the_headings_is_passed_over(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, text("Registre;;", TABLE[1], TABLE[0], TABLE[2]), kind)
    assert codes(file, make_feed(COLUMNS, file={**CSV, "format": kind})) == ["DEL-714"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_titles_that_are_gone_do_no_harm(tmp_path: Path, kind: str) -> None:
    rows, found = read_kind(tmp_path, text(*TABLE), kind, header_rows=[3])
    assert found == [(2, *ROWS[0]), (3, *ROWS[1])]
    assert told(rows) == ["DEL-757"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "heading", ["Prefecture", "PRÉFECTURE", " préfecture ", "Pré fecture", "Pre\u0301fecture "]
)
def test_a_heading_is_known_by_its_letters(tmp_path: Path, kind: str, heading: str) -> None:
    rows, found = read_kind(tmp_path, text(f"N°PV;{heading};tues", *TABLE[1:]), kind)
    assert [row[1:] for row in found] == ROWS
    assert set(told(rows)) == {"DEL-758"}
    spelled = {one.values["column"]: one.values["found"] for one in rows.notes}
    assert spelled["N° PV"] == "N°PV"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
def test_one_unknown_column_is_kept_out_and_told(tmp_path: Path, kind: str) -> None:
    if kind == "json":
        file = tmp_path / "d.json"
        file.write_text('[{"N° PV": 1, "Préfecture": "x", "Tués": 2, "Témoin": "SECRET"}]')
    else:
        table = [TABLE[0] + ";Témoin", *(f"{row};SECRET" for row in TABLE[1:])]
        file = write(tmp_path, text(*table), kind)
    with scratch_connection() as connection:
        rows = read_text_rows(connection, file, make_feed(COLUMNS, file={**CSV, "format": kind}))
        columns = [name for name, *_ in connection.execute("DESCRIBE text_rows").fetchall()]
    assert columns == ["source_row", *COLUMNS]
    assert told(rows) == ["DEL-759"]
    assert rows.notes[0].values["column"] == "Témoin"
    assert "SECRET" not in repr(rows)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=,"])
def test_the_line_that_names_the_separator_is_obeyed_and_not_counted(
    tmp_path: Path, first: str
) -> None:
    delimiter = first.strip('"')[-1]
    content = first + "\n" + text(*TABLE, delimiter=delimiter)
    rows, found = read_kind(tmp_path, content)
    assert found == [(2, *ROWS[0]), (3, *ROWS[1])]  # as a spreadsheet program numbers them
    assert told(rows) == (["DEL-756"] if delimiter == "," else [])


@pytest.mark.parametrize("gap", ["", "\n"])
@pytest.mark.parametrize("above", ["", "Registre\n", "sep=;\n", "sep=;\nRegistre\n"])
def test_a_row_is_sent_back_from_where_it_stood(tmp_path: Path, above: str, gap: str) -> None:
    import numpy as np

    head, first, last = text(*TABLE).splitlines(keepends=True)
    file = write(tmp_path, above + head + first + gap + last)
    with scratch_connection() as connection:
        rows = read_text_rows(connection, file, make_feed(COLUMNS, file=CSV))
        found = connection.execute("SELECT source_row FROM text_rows ORDER BY 1 DESC").fetchone()
        assert found is not None
        write_excerpt(connection, file, rows, np.array(found), tmp_path / "e.csv")
    assert (tmp_path / "e.csv").read_text(encoding="utf-8") == above + head + last


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Commas for semicolons, and a column missing: not "rows added above the table".
        (["N° PV,Préfecture", "1,Kémo"], ["DEL-761", "DEL-703"]),
        (["N° PV,Tués,x,y", "1,2,3,4"], ["DEL-761", "DEL-703"]),
        (["N° PV;Préfecture;Tués;x;y", "1;Kémo;2;3;4"], ["DEL-704", "DEL-704"]),
        (["N° PV;Préfecture;PREFECTURE;Tués", "1;Kémo;x;2"], None),
        (["N° PV;PREFECTURE;Prefecture;Tués", "1;Kémo;x;2"], ["DEL-703", "DEL-704", "DEL-704"]),
        (["x;y;z", "1;2;3"], ["DEL-714"]),
        (["Titre", *TABLE, "", *TABLE], ["DEL-714"]),  # two tables, one under the other
    ],
)
def test_what_is_ambiguous_is_refused_with_the_right_diagnosis(
    tmp_path: Path, lines: list[str], expected: list[str] | None
) -> None:
    file = write(tmp_path, text(*lines))
    feed = make_feed(COLUMNS, file=CSV)
    if expected is None:
        rows, _ = read(file, feed)
        assert told(rows) == ["DEL-759"]
    else:
        assert codes(file, feed)[: len(expected)] == expected


def test_decimal_commas_that_split_the_rows_are_told_with_the_separator(tmp_path: Path) -> None:
    content = "N° PV,Préfecture,Tués\n1,4,5,2\n2,4,6,0\n"
    with pytest.raises(DeliveryError) as refusal:
        read_kind(tmp_path, content)
    assert [one.code for one in refusal.value.findings] == ["DEL-717", "DEL-756"]

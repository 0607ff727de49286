"""Delimited deliveries: every dialect in use, and row numbers that a person recognises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reading import codes, make_feed, read, scratch_connection

from pipelines.core.findings import DeliveryError
from pipelines.landing.columns import matched
from pipelines.landing.lines import count_lines
from pipelines.landing.readers import delimited, staging
from pipelines.landing.readers.delimited import open_delimited, stage_delimited
from pipelines.landing.readers.read import read_text_rows
from schemas.feed import Layout

CSV = {"format": "csv", "name": "*.csv"}


@pytest.fixture(autouse=True, params=["small", "large"])
def staged_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test twice: staged as a table, and as the Parquet file that a large delivery becomes."""
    if request.param == "large":
        monkeypatch.setattr(staging, "LARGE_BYTES", 0)
    return str(request.param)


def write(folder: Path, data: bytes) -> Path:
    file = folder / "d.csv"
    file.write_bytes(data)
    return file


def rows_of(folder: Path, data: bytes, columns: str = "a,b,c", **layout: Any) -> list[Any]:
    return read(write(folder, data), make_feed(columns.split(","), file={**CSV, **layout}))[1]


def codes_of(folder: Path, data: bytes, columns: str = "a,b,c", **layout: Any) -> list[str]:
    return codes(write(folder, data), make_feed(columns.split(","), file={**CSV, **layout}))


@pytest.mark.parametrize(
    ("encoding", "delimiter", "end"),
    [
        ("utf-8", ",", "\n"),
        ("utf-8-sig", ";", "\r\n"),
        ("cp1252", ";", "\r\n"),
        ("utf-16", "\t", "\r\n"),
        ("utf-16-le", "\t", "\n"),
        ("latin-1", "|", "\r"),
    ],
)
def test_every_dialect_gives_the_same_rows(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    table = [["a", "b", "c"], ["1", "Kémo, près du marché", " x "], ["2", "", "été"]]
    data = end.join(delimiter.join(f'"{c}"' for c in row) for row in table).encode(encoding)
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    rows = rows_of(tmp_path, data, encoding=declared, delimiter=delimiter)
    assert rows == [(2, "1", "Kémo, près du marché", "x"), (3, "2", None, "été")]


def test_detected_encoding_is_recorded(tmp_path: Path) -> None:
    text = "a,b,c\n" + "1,Vol à main armée près du marché,Préfecture de la Kémo\n" * 20
    feed = make_feed(["a", "b", "c"], file={**CSV, "encoding": "detect"})
    for encoding in ("utf-8", "cp1252", "utf-16"):
        rows, found = read(write(tmp_path, text.encode(encoding)), feed)
        assert rows.encoding == encoding
        assert found[0] == (2, "1", "Vol à main armée près du marché", "Préfecture de la Kémo")


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16-le", "utf-16-be", "mac_roman"])
@pytest.mark.parametrize(
    "text", ["1;Kémo;x", "1;CLÔTURÉ\u00a0: ÇA;été", "1;L’été à Bangui;« oui »"]
)
def test_a_few_accents_are_enough_to_detect(tmp_path: Path, encoding: str, text: str) -> None:
    data = f"a;b;c\n{text}\n".encode(encoding)
    rows = rows_of(tmp_path, data, encoding="detect", delimiter=";")
    assert rows == [(2, *text.split(";"))]


def test_row_numbers_count_blank_lines_and_not_lines_within_quotes(tmp_path: Path) -> None:
    data = b'a,b,c\n1,x,y\n\n2,"two\nlines",y\n,,\n   \n3,x,y\n\n\n'
    assert rows_of(tmp_path, data) == [
        (2, "1", "x", "y"),
        (4, "2", "two\nlines", "y"),
        (7, "3", "x", "y"),
    ]


def test_mixed_line_ends(tmp_path: Path) -> None:
    data = b'a,b,c\r\n1,x,y\n2,x,y\r\n"3",x,y\r4,x,y'
    assert [row[:2] for row in rows_of(tmp_path, data)] == [(2, "1"), (3, "2"), (4, "3"), (5, "4")]


def test_titles_above_a_header_of_two_rows(tmp_path: Path) -> None:
    data = "Registre;;;\n\nN°;Victimes;;Suite\n;Total;F;\n1;3;1;x\n".encode()
    columns = "N°,Victimes / Total,Victimes / F,Suite"
    rows = rows_of(tmp_path, data, columns, delimiter=";", header_rows=[3, 4])
    assert rows == [(5, "1", "3", "1", "x")]


def test_row_of_hxl_tags_is_no_data(tmp_path: Path) -> None:
    with_tags = b"a,b,c\n#event+id,#date,\n1,x,y\n"
    assert rows_of(tmp_path, with_tags, hxl_row="optional") == [(3, "1", "x", "y")]
    assert rows_of(tmp_path, b"a,b,c\n1,x,y\n", hxl_row="optional") == [(2, "1", "x", "y")]
    assert len(rows_of(tmp_path, with_tags)) == 2


def test_declared_rows_are_counted_apart_and_ignored_columns_not_read(tmp_path: Path) -> None:
    feed = make_feed(
        ["a", "b"],
        file=CSV,
        skip_rows=[{"column": "a", "matches": "^TOTAL"}],
        ignore={"name": {"en": "never read", "fr": "jamais lu"}},
    )
    rows, found = read(write(tmp_path, b"a,name,b\n1,X,2\nTOTAL,,9\n,Y,\n"), feed)
    assert (rows.row_count, rows.rows_skipped, rows.columns) == (2, 1, ["a", "b"])
    assert found == [(2, "1", "2"), (4, None, None)]  # a row with only a name is a row


def test_no_break_spaces_and_tabs_are_trimmed(tmp_path: Path) -> None:
    data = "a,b,c\n\u00a01\u202f,\t2\t, \u00a0 \n".encode()
    assert rows_of(tmp_path, data) == [(2, "1", "2", None)]


def test_headings_are_compared_without_accidents_of_typing(tmp_path: Path) -> None:
    data = "a ,Pre\u0301fecture  de,\u00a0c\n1,x,y\n".encode()
    assert rows_of(tmp_path, data, "a,Préfecture de,c") == [(2, "1", "x", "y")]


def test_signs_of_a_word_processor_in_a_heading_are_those_of_a_keyboard(tmp_path: Path) -> None:
    data = "n° de l’infraction,Nord‑Est – total,c\n1,x,y\n".encode()
    assert rows_of(tmp_path, data, "n° de l'infraction,Nord-Est - total,c") == [(2, "1", "x", "y")]
    data = "n° de l'infraction,Nord-Est - total,c\n1,x,y\n".encode()
    assert rows_of(tmp_path, data, "n° de l’infraction,Nord-Est – total,c") == [(2, "1", "x", "y")]


def test_cells_of_a_file_without_a_header_are_never_quoted(tmp_path: Path) -> None:
    file = write(tmp_path, b"DUPONT Jean,P-0001,c\nX,P-0002,1\n")
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["a", "b", "c"], file=CSV))
    assert [one.values for one in refusal.value.findings] == [{"file_name": "d.csv", "row": 1}]


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 8,  # no letters at all
        b"\0a\0b\0\0" * 9 + b"a\0b\0\0\0" * 9,  # UTF-16 of neither order
    ],
)
def test_letters_that_nobody_agreed_on_are_not_said_to_be_agreed(
    tmp_path: Path, data: bytes
) -> None:
    assert codes_of(tmp_path, data, encoding="detect") == ["DEL-731"]


def test_all_wrong_columns_are_named_at_once_with_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, b"a,b,Prefectur,New,New\n1,2,x,y,z\n")
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["a", "b", "Préfecture", "c"], file=CSV))
    found = {(f.code, f.values["column"]): f.values.get("near") for f in refusal.value.findings}
    assert found == {
        ("DEL-703", "Préfecture"): "Prefectur",
        ("DEL-703", "c"): "–",
        ("DEL-704", "Prefectur"): None,
        ("DEL-704", "New"): None,
        ("DEL-716", "New"): None,
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ["DEL-706"]),
        (b"\n\n", ["DEL-706"]),
        (b"a,b,c\n", ["DEL-706"]),
        (b"a,b,c\n,,\n", ["DEL-706"]),
        (b"x;y;z\n1;2;3\n", ["DEL-714"]),
        (b"a,b,c\n1,2\n3,4,5\n", ["DEL-717"]),
        (b"a,b,c\n1,2,3,4\n3,4,5\n", ["DEL-717"]),
        (b'a,b,c\n1,"x" y,3\n3,4,5\n', ["DEL-717"]),
        (b"a,b,c\n1,2,3\n4,5", ["DEL-702"]),
        (b'a,b,c\n1,2,3\n4,5,"cut of', ["DEL-702"]),
        (b"a,b,c\n1,2,caf\x81\n3,\x81,\x81", ["DEL-701"]),
        (b'a,b,c\n1,"\x81\n",caf\x81', ["DEL-701"]),
        (b"a,b,,c\n1,2,x,3\n", ["DEL-704"]),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    assert codes_of(tmp_path, data) == expected


@pytest.mark.parametrize("data", [b"a,b,c,\n1,2,3,\n", b"a,b,,c\n1,2,,3\n", b"a,b,c\n1,2,3,,,\n"])
def test_empty_cells_without_a_heading_do_no_harm(tmp_path: Path, data: bytes) -> None:
    assert rows_of(tmp_path, data) == [(2, "1", "2", "3")]


def test_an_accent_before_a_no_break_space_is_not_taken_for_utf8(tmp_path: Path) -> None:
    data = "a,b,c\n1,CLÔTURÉ\u00a0: oui,3\n".encode("cp1252")
    assert rows_of(tmp_path, data.replace(b"\xd4", b"O"), encoding="cp1252")[0][2] == (
        "CLOTURÉ\u00a0: oui"
    )


def test_refusal_names_the_line_and_no_cell(tmp_path: Path) -> None:
    file = write(tmp_path, b"a,b,c\n1,2,3\nSECRET,5\n6,7,8\n9,9\n")
    with pytest.raises(DeliveryError) as refusal:
        read(file, make_feed(["a", "b", "c"], file=CSV))
    assert refusal.value.findings[0].values == {"file_name": "d.csv", "rows": 2, "row": 3}
    assert "SECRET" not in repr(refusal.value.__dict__) + refusal.value.findings[0].text("en")


def test_rows_of_a_wrong_width_are_set_aside_without_their_cells(tmp_path: Path) -> None:
    data = b"a,b,c\n1,2,3\nSECRET,5\n6,7,8\nx,SECRET,y,z\n\n9,10,11\n12,,14\n"
    feed = make_feed(["a", "b", "c"], file=CSV)
    with scratch_connection() as connection:
        read_as = read_text_rows(connection, write(tmp_path, data), feed)
        rows = connection.execute("FROM text_rows ORDER BY source_row").fetchall()
        unreadable = connection.execute("FROM text_rows_unreadable ORDER BY source_row").fetchall()
    assert rows == [
        (2, "1", "2", "3"),
        (4, "6", "7", "8"),
        (7, "9", "10", "11"),
        (8, "12", None, "14"),
    ]
    assert unreadable == [(3, "DEL-727"), (5, "DEL-727")]
    assert (read_as.row_count, read_as.rows_unreadable) == (4, {"DEL-727": 2})


def test_a_surplus_cell_of_such_a_row_is_no_text_without_a_heading(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"a,b,c,\n1,2,3,\n4,5,6,7,8\n9,9,9,\n") == [
        (2, "1", "2", "3"),
        (4, "9", "9", "9"),
    ]


def set_aside(folder: Path, data: bytes, columns: str) -> tuple[list[int], list[Any]]:
    """The numbers of the rows that are read, and those that are not, with the reason."""
    feed = make_feed(columns.split(","), file=CSV)
    with scratch_connection() as connection:
        read_text_rows(connection, write(folder, data), feed)
        found = connection.execute("SELECT source_row FROM text_rows ORDER BY ALL").fetchall()
        unread = connection.execute("FROM text_rows_unreadable ORDER BY ALL").fetchall()
    return [row for (row,) in found], unread


def test_each_row_with_a_stray_quotation_mark_is_set_aside_alone(tmp_path: Path) -> None:
    """Nothing of them becomes a value: the names of an ignored column are among them."""
    head = b"a,b,c,d,e,f\n"
    rows = [b"%d,x,y,z,u,v\n" % n for n in range(9)]
    rows[3], rows[5] = b'3,"PK 12,y,z,SECRET,v\n', b'5,"marche" x,y,z,u,v\n'
    rows[8] = b'8,"a text\nof two lines, with a comma",y,z,u,v\n'
    found, unread = set_aside(tmp_path, head + b"".join(rows), "a,b,c,d,e,f")
    assert found == [2, 3, 4, 6, 8, 9, 10]
    assert unread == [(5, "DEL-727"), (7, "DEL-727")]


def test_a_quotation_mark_that_never_closes_takes_its_own_row_only(tmp_path: Path) -> None:
    data = b'a,b,c\n1,"2,3\n4,5,6\n7,8,9\n'
    assert set_aside(tmp_path, data, "a,b,c") == ([3, 4], [(2, "DEL-727")])


def test_records_between_two_stray_quotation_marks_are_read(tmp_path: Path) -> None:
    """The marks make one text of the rows between them, which the strict parser would believe."""
    rows = [b"%d,x,y,z,u,v\n" % n for n in range(9)]
    rows[3], rows[5] = b'3,"PK 12,y,z,SECRET,v\n', b'5,marche",y,z,u,v\n'
    found, unread = set_aside(tmp_path, b"a,b,c,d,e,f\n" + b"".join(rows), "a,b,c,d,e,f")
    assert found == [2, 3, 4, 6, 7, 8, 9, 10]
    assert unread == [(5, "DEL-727")]


def test_one_row_with_an_empty_cell_too_many_is_one_place_off(tmp_path: Path) -> None:
    """`x;y` in a text, and an empty last column: DuckDB's reader would take it as it stands."""
    data = b"a,b,c\n1,2,3\n4,x,y,\n5,6,\n7,8,9\n"
    assert rows_of(tmp_path, data) == [
        (2, "1", "2", "3"),
        (4, "5", "6", None),
        (5, "7", "8", "9"),
    ]


def test_a_separator_after_the_last_cell_of_every_row_is_no_cell(tmp_path: Path) -> None:
    data = b"a,b,c\n1,2,3,\n4,x,y,,\n5,6,,\n7,8,9\n10,11,12,\n"
    assert rows_of(tmp_path, data) == [
        (2, "1", "2", "3"),
        (4, "5", "6", None),
        (5, "7", "8", "9"),
        (6, "10", "11", "12"),
    ]


def test_a_last_row_that_was_cut_off_refuses_the_file_whatever_else_is_wrong(
    tmp_path: Path,
) -> None:
    data = b"a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n12,1"
    assert codes_of(tmp_path, data) == ["DEL-702"]
    assert codes_of(tmp_path, data + b"\n") == []


def test_names_decide_the_layout(tmp_path: Path) -> None:
    feed = make_feed(["a", "b", "c"], file=[{**CSV, "name": "x*.csv"}, {"format": "json"}])
    assert codes(write(tmp_path, b"a,b,c\n1,2,3\n"), feed) in ([], ["DEL-711"])
    other = tmp_path / "d.pdf"
    other.write_bytes(b"x")
    assert codes(other, make_feed(["a"], file=CSV)) == ["DEL-725"]


def stage(file: Path, connection: Any, columns: list[str]) -> str:
    layout = Layout(format="csv")
    source = open_delimited(file, file, layout)
    wanted = matched(make_feed(columns, file=CSV), source.headings, file, header_row=1)
    counted = count_lines(file, layout.delimiter, layout.quote)
    return stage_delimited(connection, source, wanted, "staged", counted).row_sql


def test_ordinary_files_are_read_by_the_engine_alone(tmp_path: Path, staged_as: str) -> None:
    by_place = {"small": "rowid + 2", "large": "place + 2"}[staged_as]
    with scratch_connection() as connection:
        for data in (b'a,b\r\n"1",2\r\n3,4\r\n\r\n', b"a,b\n1,2\n3,4", b"a,b\r1,2\r3,4\r"):
            assert stage(write(tmp_path, data), connection, ["a", "b"]) == by_place
        for data in (b"a,b\n\n1,2\n", b'a,b\n"1\n",2\n', b"a,b\n1,2\r\n3,4\n"):
            assert stage(write(tmp_path, data), connection, ["a", "b"]) == "source_row"


def test_rows_of_a_file_larger_than_many_buffers_are_numbered_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "BUFFER_BYTES", 2 * 1024**2)
    many = 120_000
    flat, tall = "%d,plain text of some length,é\n", '%d,"two\n""lines"",1\n",é\n'
    check = "count(*), bool_and(source_row = a::BIGINT + 2), count(DISTINCT b)"
    for record in (flat, tall):
        file = write(tmp_path, ("a,b,c\n" + "".join(record % n for n in range(many))).encode())
        with scratch_connection() as connection:
            read_text_rows(connection, file, make_feed(["a", "b", "c"], file=CSV))
            found = connection.execute(f"SELECT {check} FROM text_rows").fetchone()
        assert found == (many, True, 1)

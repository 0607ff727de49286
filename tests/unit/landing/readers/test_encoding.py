"""Sets of characters: the declared one, the one that a file shows, and two of them in one file.

Not here: what else a file shows of its layout (`test_seen.py`), signs without meaning.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest
from reading import codes, make_feed, read, scratch_connection

from pipelines.landing import lines
from pipelines.landing.excerpt import write_excerpt
from pipelines.landing.readers import encoding, mixture
from pipelines.landing.readers.read import TextRows, read_text_rows

CSV = {"format": "csv", "name": "*.csv", "delimiter": ";"}
TEXT = "a;b\n1;Kémo\n2;Préfecture de l’Ouaka\n"
ROWS = [(2, "1", "Kémo"), (3, "2", "Préfecture de l’Ouaka")]


def write(folder: Path, data: bytes) -> Path:
    file = folder / "d.csv"
    file.write_bytes(data)
    return file


def feed_in(declared: str) -> Any:
    return make_feed(["a", "b"], file={**CSV, "encoding": declared})


def read_as(folder: Path, data: bytes, declared: str) -> tuple[TextRows, list[Any]]:
    return read(write(folder, data), feed_in(declared))


def told(rows: TextRows) -> list[tuple[str, Any]]:
    for one in rows.notes:
        assert not one.is_error
        assert "…" not in one.text("en") + one.text("fr") + one.correction("fr")
    return [(one.code, one.values.get("encoding")) for one in rows.notes]


@pytest.mark.parametrize(
    ("written", "declared", "named"),
    [
        ("utf-8", "cp1252", "utf-8"),
        ("utf-8-sig", "cp1252", "utf-8"),
        ("utf-8", "utf-16", "utf-8"),
        ("cp1252", "utf-8", "cp1252"),
        ("utf-16", "utf-8", "utf-16"),
        ("utf-16", "cp1252", "utf-16"),
        ("utf-16-le", "utf-8", "utf-16-le"),
        ("utf-16-be", "cp1252", "utf-16-be"),
        ("utf-32", "utf-16", "utf-32"),
    ],
)
def test_another_encoding_than_the_declared_one_is_read_where_the_file_shows_it(
    tmp_path: Path, written: str, declared: str, named: str
) -> None:
    rows, found = read_as(tmp_path, TEXT.encode(written), declared)
    assert found == ROWS
    assert told(rows) == [("DEL-755", named)]
    assert rows.encoding == named


@pytest.mark.parametrize("declared", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_mark_that_agrees_is_not_told(tmp_path: Path, declared: str, mark: bytes) -> None:
    rows, found = read_as(tmp_path, mark + TEXT.encode(), declared)
    assert (found, rows.notes) == (ROWS, [])


@pytest.mark.parametrize("size", [16, 4 * 1024**2])
@pytest.mark.parametrize("declared", ["cp1252", "utf-8"])
def test_rows_of_another_system_are_read_in_their_own_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str, size: int
) -> None:
    monkeypatch.setattr(mixture, "BLOCK_BYTES", size)
    own, other = ("cp1252", "utf-8") if declared == "cp1252" else ("utf-8", "cp1252")
    data = TEXT.encode(own) + "3;école de Paoua, côté nord\n4;Bria\n".encode(other)
    rows, found = read_as(tmp_path, data, declared)
    assert found == [*ROWS, (4, "3", "école de Paoua, côté nord"), (5, "4", "Bria")]
    assert told(rows) == [("DEL-754", other)]
    assert rows.notes[0].values["rows"] == 1
    assert rows.notes[0].values["row"] == 4
    assert rows.encoding == declared


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        ("cp1252", "3;Zémio".encode("cp1252") + " près du marché".encode()),
        ("cp1252", b"3;caf\x81"),
        ("utf-8", "3;Zémio".encode("cp1252") + " près du marché".encode()),
        ("utf-8", b"3;caf\x81"),
        ("utf-8", "3;Zémio".encode("cp1252") + " « oui »".encode()),
        ("utf-8", "3;Łódź".encode("cp1250")),
    ],
)
def test_a_row_whose_letters_are_not_certain_is_set_aside_and_sent_back_as_it_came(
    tmp_path: Path, declared: str, line: bytes
) -> None:
    data = TEXT.encode(declared) + line + b"\n4;Bria\n"
    file = write(tmp_path, data)
    with scratch_connection() as connection:
        import numpy as np

        rows = read_text_rows(connection, file, feed_in(declared))
        found = connection.execute("FROM text_rows ORDER BY ALL").fetchall()
        unread = connection.execute("FROM text_rows_unreadable").fetchall()
        write_excerpt(connection, file, rows, np.array([4]), tmp_path / "e.csv")
    assert found == [*ROWS, (5, "4", "Bria")]
    assert unread == [(4, "DEL-753")]
    assert rows.rows_unreadable == {"DEL-753": 1}
    assert (tmp_path / "e.csv").read_bytes() == b"a;b\n" + line + b"\n"


@pytest.mark.parametrize(
    "text", ["1;CLÔTURÉ\u00a0: ÇA", "1;É\u00a0: oui", "1;« à\u00a0»", "1;n°\u00a0×"]
)
def test_letters_of_a_code_page_are_not_taken_for_utf8(tmp_path: Path, text: str) -> None:
    rows, found = read_as(tmp_path, f"a;b\n{text}\n2;été\n".encode("cp1252"), "cp1252")
    assert found == [(2, *text.split(";")), (3, "2", "été")]
    assert rows.notes == []


@pytest.mark.parametrize("name", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_that_ends_inside_a_letter_is_cut_off(tmp_path: Path, name: str) -> None:
    data = "a;b\n1;x\n2;Kémo\n3;café".encode(name)
    assert codes(write(tmp_path, data[:-1]), feed_in(name)) == ["DEL-702"]


def test_a_file_mostly_of_no_known_letters_is_refused(tmp_path: Path) -> None:
    data = b"a;b\n1;x\n" + b"2;\x81\x8d\n" * 3
    assert codes(write(tmp_path, data), feed_in("utf-8")) == ["DEL-701"]
    assert codes(write(tmp_path, data), feed_in("cp1252")) == ["DEL-701"]
    assert codes(write(tmp_path, b"\xff\xfe" + TEXT.encode("utf-8")), feed_in("utf-16")) != []


@pytest.mark.parametrize("declared", ["cp1252", "utf-8"])
def test_a_file_of_which_half_is_uncertain_is_refused_and_less_is_set_aside(
    tmp_path: Path, declared: str
) -> None:
    head, uncertain = b"a;b\n1;x\n2;y\n", b"3;\x81\n"
    assert codes(write(tmp_path, head + uncertain * 4), feed_in(declared)) == ["DEL-701"]
    rows, found = read_as(tmp_path, head + uncertain * 3, declared)
    assert found == [(2, "1", "x"), (3, "2", "y")]
    assert rows.rows_unreadable == {"DEL-753": 3}


@pytest.mark.parametrize(("word", "is_believed"), [("نعم", True), ("لا", False)])
def test_a_line_needs_three_letters_of_another_alphabet_to_be_believed(
    tmp_path: Path, word: str, is_believed: bool
) -> None:
    """Fewer are two or three odd signs of the code page as well."""
    data = TEXT.encode("cp1252") + f"3;{word}\n4;Bria\n".encode()
    rows, found = read_as(tmp_path, data, "cp1252")
    assert found == [*ROWS, *([(4, "3", word)] if is_believed else []), (5, "4", "Bria")]
    assert rows.rows_unreadable == ({} if is_believed else {"DEL-753": 1})


@pytest.mark.parametrize("size", [7, 16, 64])
@pytest.mark.parametrize("written", ["utf-8", "cp1252", "utf-16"])
@pytest.mark.parametrize("declared", ["utf-8", "cp1252", "detect"])
def test_what_lies_in_the_second_block_is_read_as_in_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, written: str, declared: str
) -> None:
    for module in (encoding, lines, mixture):
        monkeypatch.setattr(module, "BLOCK_BYTES", size)
    rows, found = read_as(tmp_path, TEXT.encode(written), declared)
    assert found == ROWS
    assert bool(rows.notes) == (declared not in (written, "detect"))


@pytest.mark.parametrize("size", [5, 4 * 1024**2])
def test_the_first_byte_that_is_no_utf8_is_found_in_any_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(encoding, "BLOCK_BYTES", size)
    data = b"a;b\n1;caf\xc3\xa9\n2;\x81\n3;\x81\n4;\x81\n"
    with pytest.raises(Exception, match="DEL-701") as refusal:
        read_as(tmp_path, data, "utf-8")
    values = refusal.value.findings[0].values
    assert (values["row"], values["byte"]) == (3, data.index(b"\x81") + 1)


@pytest.mark.parametrize("cell", ["x", "xx"])  # so that more zeros are even, or odd
def test_zeros_at_the_head_of_a_file_are_no_utf16(tmp_path: Path, cell: str) -> None:
    data = f"a;b\n1;{cell}\n".encode() + bytes(4097) + b";y\n3;z\n"
    rows, found = read_as(tmp_path, data, "utf-8")
    assert found == [(2, "1", cell), (4, "3", "z")]
    assert [one.code for one in rows.notes] == ["DEL-750"]
    assert rows.notes[0].values["bytes"] == 4097

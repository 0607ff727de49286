"""CSV as spreadsheets and programs both read it: UTF-8 with a mark, RFC 4180, safe to open.

Not here: which rows leave.

A text that begins with a sign on which a spreadsheet would act (`= + - @`, a tab, a line end) gets
an apostrophe before it; numbers stay numbers. The first line holds the names of the columns, the
same in both languages, so that a program that reads one extract reads the next. Times are UTC.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from pipelines.core.i18n import mark
from pipelines.release.package.formats.content import Content, Field, joined
from pipelines.release.package.formats.format import Format
from schemas.sqltext import literal, name

# The full-width forms are taken for the plain ones by some spreadsheets.
_DANGEROUS = r"^[=+\-@\t\r\n＝＋－＠]"
_NEEDS_QUOTES = r'[",\r\n]'


def write(content: Content, path: Path) -> None:
    """Write the file."""
    header = ",".join(field.name for field in content.fields) + "\r\n"
    line = " || ',' || ".join(_cell(field) for field in content.fields)
    with path.open("wb") as stream:
        stream.write(codecs.BOM_UTF8)
        stream.write(header.encode("utf-8"))
        query = f"SELECT {line} || chr(13) || chr(10) FROM {content.relation}"
        content.write_text(query, stream)


def _cell(field: Field) -> str:
    column = name(field.name)
    match field.duckdb_type:
        case "VARCHAR" | "VARCHAR[]":
            return _text(joined(field.name) if field.duckdb_type == "VARCHAR[]" else column)
        case "TIMESTAMP":
            return f"coalesce(strftime({column}, '%Y-%m-%d %H:%M:%S'), '')"
        case "DATE":
            return f"coalesce(strftime({column}, '%Y-%m-%d'), '')"
        case _:
            return f"coalesce(CAST({column} AS VARCHAR), '')"


def _text(sql: str) -> str:
    safe = (
        f"CASE WHEN regexp_matches({sql}, {literal(_DANGEROUS)}) THEN '''' || {sql} ELSE {sql} END"
    )
    quoted = f"""'"' || replace({safe}, '"', '""') || '"'"""
    return (
        f"coalesce(CASE WHEN regexp_matches({sql}, {literal(_NEEDS_QUOTES)}) "
        f"THEN {quoted} ELSE {safe} END, '')"
    )


FORMAT = Format(
    name="csv",
    label=mark("Text table (CSV)"),
    reading=mark(
        "CSV, UTF-8, commas, a heading line with the names of the columns. A text that begins with "
        "= + - or @ has an apostrophe before it, so that no spreadsheet runs it as a formula; take "
        "the apostrophe away before you compare such a text. Numbers have none."
    ),
    write=write,
)

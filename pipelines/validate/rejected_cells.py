"""Which cells of the source a rule speaks of, and the rejected cells of one delivery in DuckDB.

Not here: how they are shown (`report_workbook.py`, `report_page.py`).

The quarantined file has typed values; a provider knows the words that they sent. So the original is
read again, and each reason of each row is shown beside the source's own column and text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import duckdb

from pipelines.landing.readers.read import TextRows
from schemas.contract import Contract, Rule, load_contract
from schemas.feed import Feed
from schemas.record import RECORD_ID, RECORD_NUMBER
from schemas.sqltext import literal, literals, name

OWN_COLUMN_ONLY = "123"  # families: missing, malformed, not in the code list
NOT_BLAMED = {"is_withdrawn", "received_at", "country__unread"}
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Blame:
    """The source columns that a rule speaks of, the blamed one first; none for a whole row."""

    code: str
    columns: tuple[str, ...]


def blame(feed: Feed, rule: Rule) -> Blame:
    """The columns of the feed's own file that `rule` is about."""
    contract = load_contract(feed.table)
    targets = [rule.column]
    if rule.code.partition("-")[2][:1] not in OWN_COLUMN_ONLY:
        targets += _mentioned(contract, rule)
    columns: dict[str, None] = {}
    for target in targets:
        columns |= dict.fromkeys(_sources(feed, target))
    return Blame(rule.code, tuple(columns))


def _sources(feed: Feed, target: str) -> tuple[str, ...]:
    if target in feed.map:
        return feed.map[target].source
    others = _stands_for(load_contract(feed.table)).get(target, ())
    return tuple(c for other in others if other in feed.map for c in feed.map[other].source)


def _stands_for(contract: Contract) -> dict[str, tuple[str, ...]]:
    """By columns that no feed maps by themselves, the columns whose cells they come from."""
    roles = contract.roles
    found: dict[str, tuple[str, ...]] = {RECORD_ID: (RECORD_NUMBER,)}
    if roles.position:
        found |= dict.fromkeys(roles.point, (roles.position,)) | {roles.position: roles.point}
    return found | {day.name: (moment,) for moment, day in contract.days.items()}


def _geofenced(contract: Contract) -> tuple[str, ...]:
    """What an answer of the geofence is about."""
    roles = contract.roles
    return (*roles.point, *((roles.position,) if roles.position else ()), *roles.area[:1])


def _mentioned(contract: Contract, rule: Rule) -> list[str]:
    """The columns that a rule's condition names, helpers replaced by what they look at."""
    kwargs = rule.kwargs
    text = " ".join(str(kwargs.get(key, "")) for key in ("unexpected_rows_query", "column_A"))
    words = _WORD.findall(f"{text} {kwargs.get('column_B', '')} {kwargs.get('column', '')}")
    known = _known(contract.table)
    named = [column for word in words for column in known.get(word, ())]
    return [column for column in dict.fromkeys(named) if column not in NOT_BLAMED]


@cache
def _known(table: str) -> dict[str, tuple[str, ...]]:
    contract = load_contract(table)
    known: dict[str, tuple[str, ...]] = {c.name: (c.name,) for c in contract.columns}
    for helper in contract.helpers:
        about = _geofenced(contract) if helper.geofence else (helper.column,)
        known[helper.name] = tuple(filter(None, about))
    for fact in contract.facts:
        words = dict.fromkeys(_WORD.findall(fact.sql))
        known[fact.name] = tuple(word for word in words if word in known)
    return known


@dataclass(frozen=True)
class CellTexts:
    """What stands for a cell without text, and `instead` of every cell where none may be shown."""

    blank: str
    instead: str = ""


def make_reasons(
    connection: duckdb.DuckDBPyConnection, quarantined: str, held: str, mended: Collection[str]
) -> None:
    """Make `reasons(source_row, code, is_held, is_mended)` of two Parquet files; "" for none.

    Its sender mends a row that was set aside. A held row is waiting for an answer; only where its
    code is one of `mended` it may have to be mended too.
    """
    parts = []
    if quarantined:
        source = f"read_parquet({literal(quarantined)})"
        parts.append(
            "SELECT source_row::BIGINT AS source_row, unnest(reasons) AS code, FALSE AS is_held, "
            f"TRUE AS is_mended FROM {source}"
        )
    if held:
        is_mended = f"code IN ({literals(sorted(mended))})" if mended else "FALSE"
        parts.append(
            f"SELECT source_row, code, TRUE, {is_mended} FROM read_parquet({literal(held)})"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reasons "
        "(source_row BIGINT, code VARCHAR, is_held BOOLEAN, is_mended BOOLEAN)"
    )
    if parts:
        connection.execute(f"INSERT INTO reasons {' UNION ALL '.join(parts)}")


def make_rejected(
    connection: duckdb.DuckDBPyConnection,
    rows: TextRows,
    blamed: list[Blame],
    texts: CellTexts,
) -> int:
    """Make `rejected(source_row, code, column_label, cell)` over `text_rows`; returns its rows.

    One row for each of `reasons`, in the order of the file. Where a rule compares several columns,
    the cell is one line a column: `column = text`. `bad_rows` has the rows that are to be mended.
    """
    have = {b.code: [c for c in b.columns if c in rows.columns] for b in blamed}
    labels = _case({code: literal("; ".join(columns)) for code, columns in have.items()})
    cells = _case({code: _cell_sql(columns, texts) for code, columns in have.items()})
    connection.execute(
        f"""
        CREATE TEMP TABLE rejected AS
            SELECT source_row, code, {labels} AS column_label, {cells} AS cell
            FROM reasons LEFT JOIN text_rows USING (source_row)
            ORDER BY source_row, code;
        CREATE TEMP TABLE bad_rows AS
            SELECT source_row, list(code ORDER BY code) AS codes
            FROM reasons WHERE is_mended GROUP BY source_row;
        """
    )
    [(rejected,)] = connection.execute("SELECT count(*) FROM rejected").fetchall()
    return int(rejected)


def _cell_sql(columns: list[str], words: CellTexts) -> str:
    if words.instead:
        return literal(words.instead) if columns else "NULL"
    texts = {column: f"coalesce({name(column)}, {literal(words.blank)})" for column in columns}
    if len(texts) > 1:
        texts = {column: f"{literal(column + ' = ')} || {sql}" for column, sql in texts.items()}
    return f"concat_ws(chr(10), {', '.join(texts.values())})" if texts else "NULL"


def _case(by_code: dict[str, str]) -> str:
    if not by_code:
        return "NULL::VARCHAR"
    branches = " ".join(f"WHEN {literal(code)} THEN {sql}" for code, sql in by_code.items())
    return f"CASE code {branches} END"

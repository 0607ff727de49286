"""From a source's own words to codes: the small tables that the harmonise query joins.

Not here: the codes (`schemas/codelists`), a feed's crosswalks (its folder), the query (`compile`).

A crosswalk of the feed comes first, then the list's codes, labels and aliases. Only the distinct
texts of a delivery are looked up (a join on the raw text follows), because making a look-up key
costs 0.3 µs a row. A name that two areas bore at different dates is resolved by the date of the
event: `words_<target>` then holds one row a period.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from pipelines.settings import Settings
from schemas.codelist import codelist_path
from schemas.contract import Contract
from schemas.feed import Feed, Mapping
from schemas.sqltext import literal, name

AREA_LIST = "admin_areas"
AREA_LEVELS = {"admin1_code": 1, "admin2_code": 2}


def load_lists(connection: duckdb.DuckDBPyConnection, settings: Settings, lists: set[str]) -> None:
    """Make `list_<name>` for each code list named; areas include the loaded gazetteers."""
    for codelist in sorted(lists):
        table = name(f"list_{codelist}")
        if codelist == AREA_LIST:
            from pipelines.landing.reference import all_admin_areas

            connection.register("areas_arrow", all_admin_areas(settings))
            connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM areas_arrow")
            connection.unregister("areas_arrow")
        else:
            connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM read_csv(?, all_varchar=true)",
                [str(codelist_path(codelist))],
            )


def make_words(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    contract: Contract,
    target: str,
    text_sql: str,
) -> None:
    """Make `words_<target>(raw, code[, scope, valid_from, valid_to])` for the delivery's texts."""
    codelist = contract.column(target).codelist
    keys = name(f"keys_{target}")
    scoped = codelist == AREA_LIST
    render = _area_keys if scoped else _list_keys
    crosswalk = _crosswalk_table(feed, feed.map[target])
    connection.register("crosswalk_arrow", crosswalk)
    connection.execute(f"CREATE TEMP TABLE {keys} AS {render(target, codelist)}")
    connection.unregister("crosswalk_arrow")
    columns = "raw, code, scope, valid_from, valid_to" if scoped else "raw, code"
    connection.execute(
        f"CREATE TEMP TABLE {name(f'words_{target}')} AS SELECT {columns} FROM "
        f"(SELECT DISTINCT {text_sql} AS raw FROM text_rows) "
        f"JOIN {keys} ON key = lookup_key(raw)"
    )


def _crosswalk_table(feed: Feed, mapping: Mapping) -> pa.Table:
    rows = feed.crosswalk(mapping.crosswalk) if mapping.crosswalk else []
    return pa.table(
        {
            "source_value": pa.array([row["source_value"] for row in rows], pa.string()),
            "code": pa.array([row["code"] for row in rows], pa.string()),
        }
    )


def _words_of(codelist: str, extra: str = "", where: str = "") -> str:
    """Every word of a list with its code: priority 1 codes, 2 labels, 3 aliases."""
    table = name(f"list_{codelist}")
    sources = (
        ("1", "code"),
        ("2", "label_en"),
        ("2", "label_fr"),
        ("3", "unnest(string_split(aliases, '|'))"),
    )
    return " UNION ALL ".join(
        f"SELECT {rank} AS rank, {word} AS word, code{extra} FROM {table} {where}"
        for rank, word in sources
    )


def _list_keys(target: str, codelist: str) -> str:
    del target
    return (
        "SELECT lookup_key(word) AS key, arg_min(code, rank) AS code FROM ("
        "SELECT 0 AS rank, source_value AS word, code FROM crosswalk_arrow UNION ALL "
        f"{_words_of(codelist)}) WHERE lookup_key(word) <> '' AND code IS NOT NULL GROUP BY key"
    )


def _area_keys(target: str, codelist: str) -> str:
    """Keys of areas of one level, within a scope, each with the period in which it is meant.

    The scope is the country for first-level areas and the first-level area for second-level ones.
    The periods of one key cover all time: the first begins, and the last ends, at infinity.
    """
    level = AREA_LEVELS[target]
    scope = "country" if level == 1 else "parent"
    table = name(f"list_{codelist}")
    extra = f", {scope} AS scope, valid_from::DATE AS since"
    words = _words_of(codelist, extra, f"WHERE level::INTEGER = {level}")
    crosswalk = (
        f"SELECT 0 AS rank, source_value AS word, c.code, {scope} AS scope, NULL::DATE AS since "
        f"FROM crosswalk_arrow c JOIN {table} USING (code)"
    )
    return f"""
    WITH words AS ({crosswalk} UNION ALL {words}),
    keyed AS (SELECT lookup_key(word) AS key, scope, code, min(rank) AS rank, min(since) AS since
              FROM words WHERE lookup_key(word) <> '' GROUP BY ALL),
    best AS (SELECT * FROM keyed
             QUALIFY rank > 0 OR row_number() OVER (PARTITION BY key, scope ORDER BY rank) = 1),
    chosen AS (SELECT * FROM best QUALIFY min(rank) OVER (PARTITION BY key, scope) > 0 OR rank = 0),
    dated AS (SELECT *, lag(since) OVER w IS NULL AND row_number() OVER w = 1 AS is_first,
                     lead(coalesce(since, DATE '0001-01-01')) OVER w AS following
              FROM chosen WINDOW w AS (PARTITION BY key, scope ORDER BY since NULLS FIRST, code))
    SELECT key, scope, code,
           CASE WHEN is_first THEN '-infinity'::DATE ELSE since END AS valid_from,
           coalesce(following, 'infinity'::DATE) AS valid_to
    FROM dated
    """


def blank_forms(feed: Feed) -> str:
    """The feed's texts for *no value*, in the usual cases, as the inside of an IN list."""
    forms = {
        form
        for word in feed.blank
        for form in (word, word.lower(), word.upper(), word.capitalize())
        if form
    }
    return ", ".join(literal(form) for form in sorted(forms))

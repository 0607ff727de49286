"""From a source's own words to codes: the small tables that the harmonise query joins.

Not here: the codes (`schemas/codelists`), a feed's crosswalks (its folder), the query (`compile`).

A crosswalk of the feed comes first, then the list's codes, labels and aliases. Only the distinct
texts of a delivery are looked up (a join on the raw text follows), because making a look-up key
costs 0.3 µs a row. A name that two areas bore at different dates is resolved by the date of the
event: `words_<target>` then holds one row a period.

Lists and their keys are read once a process and again when a file changes: a delivery of a few
rows would otherwise spend more on them than on itself.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.csv as pv

from pipelines.core.settings import Settings
from pipelines.landing.reference import LOADED_AREAS_FILE, all_admin_areas
from schemas.codelist import codelist_path
from schemas.contract import Column
from schemas.feed import Feed, Mapping
from schemas.sqltext import literal, name

AREA_LIST = "admin_areas"
# Of pandas, NumPy, R and JavaScript, as they are spelled there.
NO_VALUES = ("NaN", "nan", "NaT", "<NA>", "undefined", "Infinity", "-Infinity")


def load_lists(connection: duckdb.DuckDBPyConnection, settings: Settings, lists: set[str]) -> None:
    """Make `list_<name>` for each code list named; areas include the loaded gazetteers."""
    for codelist in sorted(lists):
        rows = _once("rows", settings, codelist, partial(_read_rows, settings, codelist))
        make_table(connection, f"list_{codelist}", rows)


def make_table(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    """Make a temporary table of Arrow rows."""
    connection.register("arrow_rows", rows)
    connection.execute(f"CREATE TEMP TABLE {name(table)} AS SELECT * FROM arrow_rows")
    connection.unregister("arrow_rows")


def make_words(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    feed: Feed,
    column: Column,
    text_sql: str,
    *,
    level: int = 1,
) -> None:
    """Make `words_<column>(raw, code[, scope, valid_from, valid_to])` for the delivery's texts.

    `level` is that of the areas, where the column names areas.
    """
    target, codelist = column.name, column.codelist
    connection.register("crosswalk_arrow", _crosswalk_table(feed, feed.map[target]))
    listed = _once("words", settings, codelist, partial(_make_words, connection, codelist))
    connection.register("words_arrow", listed)
    render = _area_words(level) if codelist == AREA_LIST else _LIST_WORDS
    connection.execute(
        f"CREATE TEMP TABLE {name(f'words_{target}')} AS "
        "WITH raws AS (SELECT raw, lookup_key(raw) AS key FROM "
        f"(SELECT DISTINCT {text_sql} AS raw FROM text_rows) WHERE key <> ''), {render}"
    )
    connection.unregister("crosswalk_arrow")
    connection.unregister("words_arrow")


def _crosswalk_table(feed: Feed, mapping: Mapping) -> pa.Table:
    rows = feed.crosswalk(mapping.crosswalk) if mapping.crosswalk else []
    return pa.table(
        {
            "source_value": pa.array([row["source_value"] for row in rows], pa.string()),
            "code": pa.array([row["code"] for row in rows], pa.string()),
        }
    )


# --- lists, once a process ---------------------------------------------------------------------

State = tuple[tuple[str, int, int], ...]
_kept: dict[tuple[str, str, str], tuple[State, pa.Table]] = {}


def _once(what: str, settings: Settings, codelist: str, make: Callable[[], pa.Table]) -> pa.Table:
    """What `make` gives, made again only when a file that the list comes from has changed."""
    loaded = settings.reference / LOADED_AREAS_FILE
    is_ours = codelist == AREA_LIST and loaded.is_file()
    files = [codelist_path(codelist), *([loaded] if is_ours else [])]
    state = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in files)
    key = (what, codelist, str(settings.home) if is_ours else "")
    found = _kept.get(key)
    if found is None or found[0] != state:
        found = _kept[key] = (state, make())
    return found[1]


def _read_rows(settings: Settings, codelist: str) -> pa.Table:
    if codelist == AREA_LIST:
        return all_admin_areas(settings)
    path = codelist_path(codelist)
    with path.open(encoding="utf-8", newline="") as stream:
        columns = next(csv.reader(stream))
    as_text = pv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    return pv.read_csv(path, convert_options=as_text)


def _make_words(connection: duckdb.DuckDBPyConnection, codelist: str) -> pa.Table:
    """Every word of a list: key, rank, code; of areas also level, country, parent, since.

    The rank is 1 for a code, 2 for a label, 3 for an alias; its fraction is the place in the list,
    so that the first of equals is meant.
    """
    extra = (
        ", level::INTEGER AS level, country, parent, valid_from::DATE AS since"
        if codelist == AREA_LIST
        else ""
    )
    sources = (
        (1, "code"),
        (2, "label_en"),
        (2, "label_fr"),
        (3, "unnest(string_split(aliases, '|'))"),
    )
    table = name(f"list_{codelist}")
    words = " UNION ALL ".join(
        f"SELECT {rank} AS rank, {word} AS word, code{extra} FROM {table}" for rank, word in sources
    )
    return connection.execute(
        "SELECT key, rank + row_number() OVER () / 1e6 AS rank, * EXCLUDE (key, rank, word) "
        f"FROM (SELECT lookup_key(word) AS key, * FROM ({words})) "
        "WHERE key <> '' AND code IS NOT NULL"
    ).to_arrow_table()


# --- the texts of a delivery -------------------------------------------------------------------

_LIST_WORDS = """
words AS (SELECT lookup_key(source_value) AS key, 0 AS rank, code FROM crosswalk_arrow
          UNION ALL SELECT key, rank, code FROM words_arrow)
SELECT raw, arg_min(code, rank) AS code FROM raws JOIN words USING (key)
WHERE code IS NOT NULL GROUP BY raw
"""


def _area_words(level: int) -> str:
    """Texts for areas of one level, within a scope, each with the period in which it is meant.

    The scope is the country for first-level areas and the first-level area for second-level ones.
    The periods of one text cover all time: the first begins, and the last ends, at infinity.
    """
    scope = "country" if level == 1 else "parent"
    return f"""
    words AS (SELECT lookup_key(source_value) AS key, 0 AS rank, c.code, {scope} AS scope,
                     NULL::DATE AS since
              FROM crosswalk_arrow c JOIN {name(f"list_{AREA_LIST}")} USING (code)
              UNION ALL
              SELECT key, floor(rank) AS rank, code, {scope} AS scope, since FROM words_arrow
              WHERE level = {level}),
    keyed AS (SELECT key, scope, code, min(rank) AS rank, min(since) AS since
              FROM words SEMI JOIN raws USING (key) GROUP BY ALL),
    best AS (SELECT * FROM keyed
             QUALIFY rank > 0 OR row_number() OVER (PARTITION BY key, scope ORDER BY rank) = 1),
    chosen AS (SELECT * FROM best QUALIFY min(rank) OVER (PARTITION BY key, scope) > 0 OR rank = 0),
    dated AS (SELECT *, lag(since) OVER w IS NULL AND row_number() OVER w = 1 AS is_first,
                     lead(coalesce(since, DATE '0001-01-01')) OVER w AS following
              FROM chosen WINDOW w AS (PARTITION BY key, scope ORDER BY since NULLS FIRST, code))
    SELECT raw, code, scope,
           CASE WHEN is_first THEN '-infinity'::DATE ELSE since END AS valid_from,
           coalesce(following, 'infinity'::DATE) AS valid_to
    FROM raws JOIN dated USING (key)
    """


def blank_forms(feed: Feed) -> str:
    """The feed's texts for *no value*, in the usual cases, as the inside of an IN list.

    What programs write where they have none is always among them: NaN is no value and no word.
    """
    forms = {
        form
        for word in feed.blank
        for form in (word, word.lower(), word.upper(), word.capitalize())
        if form
    }
    return ", ".join(literal(form) for form in sorted(forms.union(NO_VALUES)))

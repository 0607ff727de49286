"""The same work as DuckDB SQL by hand: no Great Expectations, no history, no report.

Not here: the predicates of the rules, which come from the contract so that they are the same.
"""

from __future__ import annotations

import duckdb

from benchmarks import deliver
from benchmarks.codes import (
    BLANK,
    CODED,
    CONSTANTS,
    COORDINATES,
    COUNTS,
    DAYS,
    FEED_STARTS,
    FIRST_ROW,
    HIDDEN,
    READ,
    Codes,
    load_codes,
)
from benchmarks.work import Steps, Work
from schemas.rules import fails_when
from schemas.sqltext import literal, literals, name

CODES: list[Codes] = []
COLUMNS = ("PV", *CODED.values(), "Lieu", *COORDINATES.values(), "Date", "Heure", "Signalé le",
           *COUNTS.values())  # fmt: skip
CONTENT = tuple(column for column in COLUMNS if column not in {"PV", "Signalé le"})
NUMBER = "'[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)'"
WHOLE = "'[+-]?[0-9]{1,18}([.]0{0,2})?'"


def prepare(work: Work) -> None:
    """The code lists, as for the others."""
    deliver.import_delta()
    CODES.append(load_codes(work))


def run(work: Work, step: Steps) -> None:
    """Read to Parquet as text, look the words up, judge twice: the accepted rows, then the rest."""
    codes = CODES[0]
    work.folder.mkdir(parents=True, exist_ok=True)
    config = {"threads": work.threads, "memory_limit": work.memory_limit}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET temp_directory = {literal(str(work.folder / 'spill'))}")
        _read(connection, work)
        step("read")
        _look_up(connection, codes)
        _repeated(connection)
        step("look up")
        _route(connection, work, codes)
        step("harmonise and judge")
        deliver.publish(work, connection)
        step("publish")


def _read(connection: duckdb.DuckDBPyConnection, work: Work) -> None:
    text = literal(str(work.folder / "text.parquet"))
    # A longer list would become a join, which loses the order of the rows.
    cleaned = ", ".join(
        f"CASE WHEN trim({name(c)}) IN ({literals(BLANK)}) THEN NULL "
        f"ELSE nullif(trim({name(c)}), '') END AS {name(c)}"
        for c in COLUMNS
    )
    connection.execute(
        f"COPY (SELECT {cleaned} FROM read_csv({literal(str(work.csv))}, all_varchar = true, "
        f"delim = ';', header = true)) TO {text} (FORMAT parquet, ROW_GROUP_SIZE 40960)"
    )
    connection.execute(
        f"CREATE TEMP VIEW delivery AS SELECT * EXCLUDE (file_row_number), "
        f"file_row_number + {FIRST_ROW} AS source_row "
        f"FROM read_parquet({text}, file_row_number = true)"
    )
    connection.execute("SET preserve_insertion_order = false")


def _table(connection: duckdb.DuckDBPyConnection, table: str, rows: object) -> None:
    connection.register("arrow_rows", rows)
    connection.execute(f"CREATE TEMP TABLE {table} AS FROM arrow_rows")
    connection.unregister("arrow_rows")


def _look_up(connection: duckdb.DuckDBPyConnection, codes: Codes) -> None:
    for target, column in CODED.items():
        raws = connection.execute(f"SELECT DISTINCT {name(column)} AS raw FROM delivery")
        _table(connection, f"words_{target}", codes.words(target, raws.to_arrow_table()))
    _table(connection, "areas", codes.areas)
    _table(connection, "lands", codes.countries)
    _table(connection, "offsets", codes.offsets)
    _table(connection, "fence", codes.fence.cells)


def _repeated(connection: duckdb.DuckDBPyConnection) -> None:
    """Rows whose number recurs (exact copies, and others), and rows that tell the same event."""
    cells = ", ".join(name(column) for column in COLUMNS)
    connection.execute(
        f"""
        CREATE TEMP TABLE repeated AS
        WITH several AS (SELECT coalesce(PV, '') AS key FROM delivery
                         GROUP BY key HAVING count(*) > 1),
        rows AS (SELECT source_row, PV, min(source_row) OVER (PARTITION BY {cells}) AS first_row
                 FROM delivery SEMI JOIN several ON key = coalesce(PV, ''))
        SELECT source_row, first_row < source_row AS is_copy,
               CASE WHEN PV IS NULL THEN 1 ELSE count(*) FILTER (first_row = source_row)
                   OVER (PARTITION BY PV) END AS times FROM rows
        """
    )
    content = ", ".join(name(column) for column in CONTENT)
    connection.execute(
        f"""
        CREATE TEMP TABLE same_event AS
        WITH hashed AS (SELECT source_row, hash({content}) AS content FROM delivery
                        ANTI JOIN (FROM repeated WHERE is_copy) USING (source_row)),
        several AS (SELECT content, count(*) AS records FROM hashed GROUP BY content
                    HAVING count(*) > 1)
        SELECT source_row, records FROM hashed JOIN several USING (content)
        """
    )


def _route(connection: duckdb.DuckDBPyConnection, work: Work, codes: Codes) -> None:
    judged = _judged(codes)
    shown = ", ".join(name(column) for column in deliver.columns())
    accepted, quarantined = literal(str(work.accepted)), literal(str(work.quarantined))
    connection.execute(
        f"COPY (SELECT {shown}, []::VARCHAR[] AS reasons FROM ({judged}) WHERE NOT is_rejected) "
        f"TO {accepted} (FORMAT parquet, ROW_GROUP_SIZE 40960)"
    )
    connection.execute(
        f"CREATE TEMP VIEW rest AS FROM delivery ANTI JOIN read_parquet({accepted}) "
        "USING (source_row)"
    )
    rejected = judged.replace("FROM delivery", "FROM rest AS delivery")
    connection.execute(
        f"COPY (SELECT {shown}, reasons FROM ({rejected}) WHERE is_rejected) "
        f"TO {quarantined} (FORMAT parquet)"
    )


def _typed() -> str:
    """The texts as numbers and wall-clock times; what is not exactly one stays NULL."""
    columns = ["source_row", 'PV AS source_record_id', '"Lieu" AS place_text',
               '"Nature" AS offence_text', "w.code AS country", "o.code AS offence_code",
               '"Pays" AS country__text', '"Préfecture" AS admin1_code__text',
               '"Nature" AS offence_code__text', "coalesce(times, 1) AS record_id__times",
               "coalesce(records, 1) AS records",
               """nullif(concat_ws(' ', "Date", "Heure"), '') AS occurred_at__text""",
               '"Signalé le" AS reported_at__text']  # fmt: skip
    for target, column in COORDINATES.items():
        columns.append(
            f"CASE WHEN regexp_full_match({name(column)}, {NUMBER}) "
            f"THEN TRY_CAST({name(column)} AS DOUBLE) END AS {target}"
        )
    for target, column in COUNTS.items():
        short = f"TRY_CAST({name(column)} AS INTEGER)"
        columns.append(
            f"CASE WHEN {short}::VARCHAR = {name(column)} AND abs({short}) < 1000000000 "
            f"THEN {short} WHEN regexp_full_match({name(column)}, {WHOLE}) "
            f"AND abs(TRY_CAST(split_part({name(column)}, '.', 1) AS BIGINT)) < 1000000000 "
            f"THEN TRY_CAST(split_part({name(column)}, '.', 1) AS INTEGER) END AS {target}"
        )
    columns += [f"{name(c)} AS {t}__text" for t, c in (COORDINATES | COUNTS).items()]
    return (
        f"SELECT {', '.join(columns)} FROM delivery LEFT JOIN repeated USING (source_row) "
        "LEFT JOIN same_event USING (source_row) "
        'LEFT JOIN words_country w ON w.raw = "Pays" '
        'LEFT JOIN words_offence_code o ON o.raw = "Nature" WHERE NOT coalesce(is_copy, FALSE)'
    )


def _wall(text: str) -> str:
    return (
        f"CASE WHEN contains({text}, ':') THEN try_strptime({text}, '%d/%m/%Y %H:%M') "
        f"ELSE try_strptime({text}, '%d/%m/%Y') END"
    )


def _inside(codes: Codes, level: str, code: str) -> str:
    known = codes.fence.countries if level == "country" else codes.fence.areas
    return (
        "CASE WHEN abs(latitude_deg) <= 90 AND abs(longitude_deg) <= 180 "
        f"AND NOT (latitude_deg = 0 AND longitude_deg = 0) AND {code} IN ({literals(known)}) "
        f"THEN coalesce(list_contains({level}_codes, {code}), FALSE) END"
    )


def _judged(codes: Codes) -> str:
    constants = ", ".join(f"{_constant(value)} AS {c}" for c, value in CONSTANTS.items())
    constants += f", DATE '{FEED_STARTS:%Y-%m-%d}' AS feed_starts"
    hidden = ", ".join(f"CASE WHEN NOT is_sensitive THEN {c} END AS {c}" for c in HIDDEN)
    unread = ", ".join(
        f"CASE WHEN {DAYS.get(c, c)} IS NULL THEN {c}__text END AS {c}__unread" for c in READ
    )
    rules = {"error": [], "warning": []}
    for rule in codes.contract.rules:
        rules[rule.severity].append((rule.code, fails_when(rule)))
    filled = {*READ, *CONSTANTS, *HIDDEN, "record_id", "source_record_id", "source_row",
              "time_zone", "location_precision", "occurred_at_precision", "occurred_at_text",
              *DAYS.values(), "is_sensitive", "handling", "offence_text",
              "quality_flags"}  # fmt: skip
    absent = {**codes.empty_columns(filled), "admin2_admin1": "VARCHAR"}
    for column in codes.contract.columns:
        if column.name not in READ:
            absent[f"{column.name}__unread"] = "VARCHAR"
    missing = ", ".join(f"NULL::{kind} AS {c}" for c, kind in absent.items())
    return f"""
    WITH typed AS ({_typed()}),
    dated AS (SELECT *, {_wall("occurred_at__text")} AS occurred, {_wall("reported_at__text")}
                     AS reported FROM typed),
    placed AS (SELECT dated.*, w.code AS admin1_code FROM dated LEFT JOIN words_admin1_code w
               ON w.raw = admin1_code__text AND w.scope = country
               AND coalesce(occurred, TIMESTAMP '9999-01-01')::DATE >= w.valid_from
               AND coalesce(occurred, TIMESTAMP '9999-01-01')::DATE < w.valid_to),
    zoned AS (SELECT placed.*, areas.* EXCLUDE (code, area_time_zone),
                     coalesce(area_time_zone, land_time_zone, 'UTC') AS time_zone
              FROM placed LEFT JOIN areas ON areas.code = admin1_code
              LEFT JOIN lands ON lands.code = country),
    timed AS (SELECT zoned.*, occurred::DATE AS occurred_on, reported::DATE AS reported_on,
                     CASE WHEN contains(occurred_at__text, ':')
                         THEN occurred - to_minutes(a.offset_minutes) END AS occurred_at,
                     CASE WHEN contains(reported_at__text, ':')
                         THEN reported - to_minutes(b.offset_minutes) END AS reported_at FROM zoned
              LEFT JOIN offsets a ON a.zone = time_zone AND occurred >= a.wall_from
                  AND occurred < a.wall_to
              LEFT JOIN offsets b ON b.zone = time_zone AND reported >= b.wall_from
                  AND reported < b.wall_to),
    fenced AS (SELECT timed.*, {_inside(codes, "country", "country")} AS is_inside_country,
                      {_inside(codes, "admin1", "admin1_code")} AS is_inside_admin1
               FROM timed LEFT JOIN fence ON cell = TRY_CAST(floor((latitude_deg + 90) * 10) * 3600
                   + floor((longitude_deg + 180) * 10) AS INTEGER)),
    derived AS (
        SELECT *, {constants}, 'caf_gendarmerie:' || source_record_id AS record_id,
            coalesce(offence_code IN ({literals(codes.sexual)}), FALSE) AS is_sensitive,
            CASE WHEN is_sensitive THEN 'STRICTLY_CONFIDENTIAL' ELSE 'CONFIDENTIAL' END AS handling,
            CASE WHEN latitude_deg IS NOT NULL THEN 'exact' WHEN admin1_code IS NOT NULL
                THEN 'admin1' END AS location_precision, occurred_at__text AS occurred_at_text,
            CASE WHEN occurred_on IS NULL THEN NULL WHEN contains(occurred_at__text, ':')
                THEN 'minute' ELSE 'day' END AS occurred_at_precision,
            CASE WHEN occurred_on IS NOT NULL AND coalesce(place_text, latitude_deg::VARCHAR)
                IS NOT NULL THEN records END AS same_event_records, {unread}, {missing}
        FROM fenced),
    shown AS (SELECT * REPLACE ({hidden}) FROM derived)
    SELECT *, {_any(rules["error"])} AS is_rejected, {_codes(rules["error"])} AS reasons,
           {_codes(rules["warning"])} AS quality_flags FROM shown
    """


def _constant(value: object) -> str:
    return f"TIMESTAMP {literal(str(value))}" if hasattr(value, "year") else literal(value)


def _any(rules: list[tuple[str, str]]) -> str:
    return f"coalesce({' OR '.join(sql for _, sql in rules)}, FALSE)"


def _codes(rules: list[tuple[str, str]]) -> str:
    each = ", ".join(f"CASE WHEN {sql} THEN {literal(code)} END" for code, sql in rules)
    return (
        f"CASE WHEN {_any(rules)} THEN list_filter([{each}], lambda code: code IS NOT NULL) "
        "ELSE []::VARCHAR[] END"
    )

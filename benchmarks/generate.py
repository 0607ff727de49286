"""A delivery of made-up incidents, as large as asked: believable places, dates, names and faults.

Not here: the demonstration's deliveries (`pipelines/demo`), which tell a story. This one has to be
large. DuckDB makes it in seconds, every value from a hash of the row's number, so that the same
size gives the same file. About one row in a hundred breaks a rule and is rejected, one in a hundred
is kept with a warning; a few are exact copies, or share a number, or tell the same event twice.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.core.settings import Settings
from pipelines.harmonise.geofence import geofence_cells

# (share of rows in 10,000, column, SQL of the faulty cell); each rejects the row.
ERRORS = (
    (10, "date", "'31/02/2024'"),
    (10, "prefecture", "'Atlantide'"),
    (10, "latitude", "'4,5x'"),
    (10, "longitude", "'200.5'"),
    (10, "hommes", "'x'"),
    (10, "tues", "victimes + 3"),
    (10, "arretes", "suspects + 1"),
    (10, "signale", "strftime(day - 40, '%d/%m/%Y')"),
    (10, "nature", "'Sorcellerie'"),
    (5, "pv", "'-'"),
    (5, "latitude", "'48.8566'"),
)
# The same for rows that are kept with a warning.
WARNINGS = (
    (30, "latitude", "neighbour"),
    (30, "victimes", "victimes + 1"),
    (25, "blesses", "victimes + 2"),
    (15, "prefecture", "'-'"),
)
OFFENCES = ("Vol simple", "Vol à main armée", "Escroquerie", "Coups et blessures", "VOL SIMPLE",
            "Vol simple", "Meurtre", "Viol", "vol à main armee", "Escroquerie")  # fmt: skip
COLUMNS = {
    "pv": "PV", "pays": "Pays", "prefecture": "Préfecture", "lieu": "Lieu", "latitude": "Latitude",
    "longitude": "Longitude", "date": "Date", "heure": "Heure", "signale": "Signalé le",
    "nature": "Nature", "victimes": "Victimes", "femmes": "Femmes", "hommes": "Hommes",
    "tues": "Tués", "blesses": "Blessés", "suspects": "Suspects", "arretes": "Arrêtés",
}  # fmt: skip


def generate(settings: Settings, rows: int, target: Path) -> Path:
    """Write `rows` rows to `target` unless it is there already; returns it."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".draft")
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '3GB'")
        connection.execute("SET enable_progress_bar = false")
        _places(connection, settings)
        # A table is read by all threads, and in order; a range by one.
        connection.execute(f"CREATE TABLE numbers AS SELECT i FROM range({rows}) rows(i)")
        connection.execute(f"COPY ({_sql()}) TO '{draft}' (FORMAT csv, HEADER, DELIMITER ';')")
    draft.replace(target)
    return target


def _places(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """`area(place, …)`: today's areas that have an outline; `spot(place, number, cell)`."""
    areas = Path(__file__).parents[1] / "schemas/codelists/admin_areas.csv"
    connection.register("fence", geofence_cells(settings))
    connection.execute(
        f"""
        CREATE TABLE area AS
        SELECT (row_number() OVER (ORDER BY code) - 1)::INTEGER AS place, code, country, label_fr,
               cells FROM read_csv('{areas}', all_varchar = true) JOIN (
            SELECT admin1_code AS code, count(*) AS cells FROM fence
            WHERE is_whole AND country IN ('CAF', 'COD', 'SSD') GROUP BY ALL) USING (code)
        WHERE valid_to IS NULL
        """
    )
    connection.execute(
        """
        CREATE TABLE spot AS
        SELECT place, row_number() OVER (PARTITION BY place ORDER BY cell) - 1 AS number, cell
        FROM fence JOIN area ON code = admin1_code WHERE is_whole
        """
    )


def _sql() -> str:
    """The rows in order; `i` is the row, `h(n)` the n-th of its random numbers."""
    h = "(hash({column}, {n}) >> 8)::BIGINT".format
    event = "event"  # the row whose facts are told: nearly always the row itself
    names = ["label_fr", "label_fr", "upper(label_fr)", "strip_accents(label_fr)"]
    countries = "CASE country WHEN 'CAF' THEN 'RCA' WHEN 'COD' THEN 'RDC' ELSE 'Soudan du Sud' END"
    listed = ", ".join(f"'{word}'" for word in OFFENCES)
    chosen = f"[{listed}][1 + {h(column=event, n=7)} % {len(OFFENCES)}]"
    columns = {column: column for column in COLUMNS}
    faults = _chosen(ERRORS, 0) | {}
    for column, branches in _merged(faults, _chosen(WARNINGS, 100)).items():
        columns[column] = f"CASE {' '.join(branches)} ELSE {column}::VARCHAR END"
    shown = ", ".join(f'{sql} AS "{COLUMNS[column]}"' for column, sql in columns.items())
    return f"""
    WITH numbered AS (
        SELECT i, CASE WHEN i % 4001 = 9 OR i % 2003 = 5 THEN i - 1 ELSE i END AS event,
               CASE WHEN i % 3001 = 7 OR i % 2003 = 5 THEN i - 1 ELSE i END AS number
        FROM numbers),
    told AS (
        SELECT *, {h(column=event, n=1)} % (SELECT count(*) FROM area) AS place,
               DATE '2021-01-25' + ({h(column=event, n=2)} % 1900)::INTEGER AS day,
               {chosen} AS nature, {h(column=event, n=3)} % 2 AS femmes,
               {h(column=event, n=4)} % 3 AS hommes, 1 + {h(column=event, n=5)} % 3 AS suspects,
               {h(column=event, n=6)} % 10000 AS chance
        FROM numbered),
    placed AS (
        SELECT told.*, area.* EXCLUDE (place),
               femmes + hommes + (nature = 'Meurtre')::INTEGER AS victimes,
               floor(cell / 3600) / 10 - 90 + ({h(column=event, n=8)} % 900 + 50) / 10000 AS y,
               cell % 3600 / 10 - 180 + ({h(column=event, n=9)} % 900 + 50) / 10000 AS x
        FROM told JOIN area USING (place)
        JOIN spot ON spot.place = told.place AND spot.number = {h(column=event, n=10)} % cells),
    written AS (
        SELECT i, day, chance, 'PV-' || number AS pv, {countries} AS pays,
               [{", ".join(names)}][1 + {h(column=event, n=11)} % 4] AS prefecture,
               'Quartier ' || {h(column=event, n=12)} % 5000 AS lieu,
               CASE WHEN {h(column=event, n=13)} % 12 = 0 AND chance >= 200 THEN '-'
                    ELSE printf('%.4f', y) END AS latitude,
               CASE WHEN {h(column=event, n=13)} % 12 = 0 AND chance >= 200 THEN '-'
                    ELSE printf('%.4f', x) END AS longitude,
               printf('%.4f', y + CASE WHEN y > 5 THEN -1.5 ELSE 1.5 END) AS neighbour,
               strftime(day, '%d/%m/%Y') AS date,
               CASE WHEN {h(column=event, n=14)} % 20 = 0 THEN '-'
                    ELSE printf('%02d:%02d', {h(column=event, n=15)} % 24,
                                {h(column=event, n=16)} % 60) END AS heure,
               strftime(day + 2, '%d/%m/%Y') AS signale, nature, victimes,
               femmes + (nature = 'Meurtre')::INTEGER AS femmes, hommes,
               (nature = 'Meurtre')::INTEGER AS tues,
               (hommes > 1)::INTEGER AS blesses, suspects, {h(column=event, n=17)} % 2 AS arretes
        FROM placed)
    SELECT {shown} FROM written ORDER BY i
    """


def _chosen(faults: tuple[tuple[int, str, str], ...], start: int) -> dict[str, list[str]]:
    """By column, the branches that put a fault in its share of the rows, counted from `start`."""
    branches: dict[str, list[str]] = {}
    for share, column, sql in faults:
        branches.setdefault(column, []).append(
            f"WHEN chance >= {start} AND chance < {start + share} THEN ({sql})::VARCHAR"
        )
        start += share
    return branches


def _merged(*several: dict[str, list[str]]) -> dict[str, list[str]]:
    columns = {column for branches in several for column in branches}
    return {c: [b for branches in several for b in branches.get(c, [])] for c in sorted(columns)}

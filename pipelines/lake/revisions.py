"""Which of the assertions about a record is its latest, and when each of them was what we knew.

Not here: how the result gets into files (`publish.py`, `tables.py`) and asking about what is held
(`questions.py`).

An assertion is one row of one delivery. Those about one record are put in order by what the
assertion itself says and by fixed receipts, never by when we happened to read it, so any order of
ingestion gives the same tables. Neighbours that say the same are one revision.

The order is the source's own revision number where it states one, then one time line. What a
register says (the source's book as of a day) stands at the end of that day; a correction (a later
statement about some rows) stands at its receipt, which is never after the moment of taking in. Of
two that stand at one point the more careful one counts: withdrawn over shown, sensitive over not;
then the one that was received first, since it was shown already.

Two things are not decided here but held, with the code of a rule, until somebody answers:

    DEL-741   nobody said what the file is, and the answer matters: as a register the row is older
              than what stands, or no later, and as a correction it is newer
    DEL-742   two that came at one moment stand at one point, as the latest, and disagree
    6xx       (a `lake_rule` of the contract) the number of a record comes back with another day,
              place and kind than any row had that was received with it before, and without a
              higher revision number: a number used twice rather than a correction

A held row has no revision and is in no view. Whether a row is held follows from the assertions
alone, like everything else here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pipelines.lake.data_files import files_sql
from pipelines.lake.judged_deliveries import CONFIRMED
from pipelines.lake.tables import MONTH, DataFile, stored_columns
from schemas.codelist import load_codelist
from schemas.contract import Contract
from schemas.sqltext import literal, literals, name

if TYPE_CHECKING:
    import duckdb

UNDECIDED, TIED = "DEL-741", "DEL-742"
CORRECTION = "correction"
# A register ends with its day, but never later than just before what came at its own receipt.
# Rows of a lake that kept no day stand at their receipt, as they always did.
STANDS_AT = f"""CASE WHEN as_of IS NULL OR statement IN ({literals((CORRECTION, CONFIRMED))})
    THEN received_at ELSE least((as_of + 1)::TIMESTAMP, received_at - INTERVAL 1 MICROSECOND) END"""
ORDER = "source_revision NULLS FIRST, stands_at, care, received_at DESC, delivery_id, source_row"
NEWEST_FIRST = (
    "source_revision DESC NULLS LAST, stands_at DESC, care DESC, received_at, "
    "delivery_id DESC, source_row DESC"
)
POINT = "source_revision, stands_at, care, received_at"
STATED = ("source_revision", "received_at", "delivery_id", "source_row", "as_of", "statement")
STANDING = ("revision", "known_from", "known_to", "is_latest", "held")

# known_to: the first moment at which we knew anything later. An assertion that came after its own
# successor (late), or repeats its forerunner, was never the news: its period is empty, so that
# `known_from <= t AND (known_to > t OR known_to IS NULL)` is one row a record at any t.


def revisions_sql(assertions: str) -> str:
    """A SELECT of every row of `assertions` with its standing; the source of all revision numbers.

    Needs record_id, the columns `STATED`, `care` (a number: the higher, the more careful),
    `content`, equal where two rows say the same, and `identity` (see `keys_sql`), `reuse_code`.
    """
    return f"""
SELECT * EXCLUDE (overtaken_at, last_revision, is_repeat, number, is_reused),
       CASE WHEN held IS NULL THEN number END AS revision,
       CASE WHEN held IS NOT NULL OR is_repeat THEN known_from
            WHEN overtaken_at IS NOT NULL THEN greatest(known_from, overtaken_at) END AS known_to,
       held IS NULL AND NOT is_repeat AND number = last_revision AS is_latest
FROM (
    SELECT *,
           CASE WHEN held IS NULL THEN min(received_at) OVER (PARTITION BY record_id, held, number)
                ELSE received_at END AS known_from,
           min(received_at) OVER (PARTITION BY record_id, held ORDER BY number
               GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS overtaken_at,
           max(number) OVER (PARTITION BY record_id, held) AS last_revision
    FROM (
        SELECT *, (count(*) FILTER (NOT is_repeat) OVER (
                   PARTITION BY record_id, held ORDER BY {ORDER}))::INTEGER AS number
        FROM (
            SELECT *, coalesce(content = lag(content) OVER (
                       PARTITION BY record_id, held ORDER BY {ORDER}), FALSE) AS is_repeat
            FROM ({_held_sql(assertions)}))))
"""


def _held_sql(assertions: str) -> str:
    """Every row of `assertions` with where it stands, and the code for which it is held if it is.

    A row is weighed against the one that stands as the latest, an undeclared one as a register.
    """
    is_of_top = " AND ".join(
        f"{column} IS NOT DISTINCT FROM top.{column}" for column in POINT.split(", ")
    )
    same = f"PARTITION BY record_id, is_reused, {POINT}"
    return f"""
SELECT * EXCLUDE (top, is_disputed),
       CASE WHEN is_reused THEN reuse_code
            WHEN is_disputed AND {is_of_top} THEN {literal(TIED)}
            WHEN statement IS NULL AND as_of IS NOT NULL AND content <> top.content
                 AND source_revision IS NOT DISTINCT FROM top.source_revision
                 AND stands_at <= top.stands_at AND received_at > top.stands_at
            THEN {literal(UNDECIDED)} END AS held
FROM (
    SELECT *,
           first_value(struct_pack({", ".join(f"{c} := {c}" for c in POINT.split(", "))},
               content := content)) OVER (
               PARTITION BY record_id, is_reused ORDER BY {NEWEST_FIRST}) AS top,
           bool_and(as_of IS NOT NULL) OVER same
               AND min(content) OVER same <> max(content) OVER same AS is_disputed
    FROM ({_reused_sql(assertions)})
    WINDOW same AS ({same}))
"""


def _reused_sql(assertions: str) -> str:
    """Every row of `assertions` with where it stands, and whether it only shares its number.

    A number belongs to what was first received with it, and to all that has a day, a place or a
    kind in common with what belongs to it. Only records of which all three changed are gone through
    one by one: there are hardly any.
    """
    received = "received_at, stands_at, source_revision NULLS FIRST, delivery_id, source_row"
    row = "record_id, delivery_id, source_row"
    differs = " AND ".join(f"min(identity[{n}]) <> max(identity[{n}])" for n in (1, 2, 3))
    return f"""
WITH RECURSIVE suspect AS MATERIALIZED (
    SELECT {row}, identity, source_revision, statement,
           row_number() OVER (PARTITION BY record_id ORDER BY {received}) AS turn
    FROM (SELECT *, {STANDS_AT} AS stands_at FROM {assertions}
          WHERE record_id IN (SELECT record_id FROM {assertions} WHERE identity IS NOT NULL
                              GROUP BY record_id HAVING {differs}))),
told AS (
    SELECT {row}, turn, coalesce(identity, []) AS known, source_revision AS known_revision,
           FALSE AS is_reused
    FROM suspect WHERE turn = 1
    UNION ALL
    SELECT {row}, turn,
           CASE WHEN is_other THEN known ELSE list_concat(known, coalesce(identity, [])) END,
           CASE WHEN is_other THEN known_revision
                ELSE greatest(known_revision, source_revision) END, is_other
    FROM (
        SELECT told.known, told.known_revision, suspect.*,
               coalesce(len(told.known) > 0 AND NOT list_has_any(told.known, suspect.identity)
                   AND suspect.statement IS DISTINCT FROM {literal(CONFIRMED)}
                   AND NOT coalesce(suspect.source_revision > coalesce(told.known_revision, 0),
                                    FALSE), FALSE) AS is_other
        FROM told JOIN suspect
            ON suspect.record_id = told.record_id AND suspect.turn = told.turn + 1))
SELECT said.*, {STANDS_AT} AS stands_at, coalesce(told.is_reused, FALSE) AS is_reused
FROM {assertions} AS said LEFT JOIN (SELECT {row}, is_reused FROM told WHERE is_reused) AS told
USING ({row})
"""


def content_sql(contract: Contract) -> str:
    """SQL of a number that is the same for two rows that say the same."""
    content = ", ".join(
        name(c.name) for c in contract.published if c.is_content and c.filled_by != "lake"
    )
    return f"hash({content})"


def care_sql(contract: Contract) -> str:
    """SQL of how careful a row is: a withdrawal before anything shown, then by its handling."""
    parts = []
    if any(column.name == "is_withdrawn" for column in contract.published):
        parts.append("CASE WHEN is_withdrawn THEN 100 ELSE 0 END")
    if any(column.name == "handling" for column in contract.published):
        ranks = " ".join(
            f"WHEN {literal(level['code'])} THEN {level['rank']}"
            for level in load_codelist("handling_levels")
        )
        parts.append(f"CASE handling {ranks} ELSE 0 END")
    return f"({' + '.join(parts) or '0'})::INTEGER"


def since_sql(judged: str, restatements: str) -> str:
    """The rows of `revisions_sql` and `restated_at`: none is known from before that moment.

    What was published until then keeps its own rows and periods, with `superseded_at`.
    `restatements` has record_id and restated_at, NULL or no row for most records.
    """
    return f"""
SELECT * REPLACE (
           greatest(known_from, restated_at) AS known_from,
           CASE WHEN known_to IS NOT NULL THEN greatest(known_to, restated_at) END AS known_to)
FROM ({judged}) LEFT JOIN {restatements} USING (record_id)
"""


def restatements_sql(rows: str) -> str:
    """A SELECT of when each record was last judged again, NULL where never, from its rows."""
    return (
        "SELECT record_id, max(greatest(restated_at, superseded_at)) AS restated_at "
        f"FROM ({rows}) GROUP BY record_id"
    )


def keys_sql(contract: Contract) -> str:
    """The columns of an assertion that `revisions_sql` needs, from a row of the table.

    `identity` is a list of numbers; two rows that have none in common are hardly about one event.
    """
    said = [f"{care_sql(contract)} AS care", f"{content_sql(contract)} AS content"]
    return ", ".join(["record_id", *STATED, *said, *_identity_sql(contract)])


def _identity_sql(contract: Contract) -> tuple[str, str]:
    """What tells one event from another, as numbers that differ by place, and the rule's code.

    NULL where a row lacks one of them, or the first of those that count together (it has only a
    withdrawal to say, perhaps), and where a 6xx warning says that it may tell the event of another
    record: it is then mended with all of it.
    """
    if not contract.lake_rules:
        return "NULL::UBIGINT[] AS identity", "NULL::VARCHAR AS reuse_code"
    rule = contract.lake_rules[0]
    is_whole = " AND ".join(f"{name(together[0])} IS NOT NULL" for together in rule.identity)
    parts = ", ".join(
        f"hash({', '.join((str(place), *map(name, together)))})"
        for place, together in enumerate(rule.identity)
    )
    doubts = [one.code for one in contract.rules if one.severity == "warning" and "-6" in one.code]
    if doubts:
        is_whole += f" AND NOT list_has_any(coalesce(quality_flags, []), [{literals(doubts)}])"
    return (
        f"CASE WHEN {is_whole} THEN [{parts}] END AS identity",
        f"{literal(rule.code)} AS reuse_code",
    )


def month_sql(contract: Contract) -> str:
    """SQL of the month by which the table is partitioned; of no use where no row tells when."""
    day = contract.event_day
    return f"strftime({name(day)}, '%Y-%m')" if day else "NULL::VARCHAR"


def record_ranges(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The first and last record id of each source in `incoming`."""
    query = "SELECT min(record_id), max(record_id) FROM incoming GROUP BY source"
    return connection.execute(query).fetchall()


def find_touched(
    connection: duckdb.DuckDBPyConnection, contract: Contract, lake: dict[str, DataFile]
) -> int:
    """Make `seen(record_id, file)` and `touched(record_id)`; returns how many are touched.

    A record is touched when `incoming` speaks of it and so does the lake, or `incoming` twice.
    """
    rows = files_sql(contract, lake, columns=["record_id"], is_located=True)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE seen AS SELECT record_id, file FROM ({rows}) "
        "SEMI JOIN incoming USING (record_id)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT record_id FROM seen UNION "
        "SELECT record_id FROM incoming GROUP BY record_id HAVING count(*) > 1"
    )
    return _number(connection, "SELECT count(*) FROM touched")


def number_revisions(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    lake: dict[str, DataFile],
    restated: Collection[str] = (),
    restatements: str = "",
) -> list[DataFile]:
    """Make `standing`: every assertion about a touched record, with its revision and period.

    Of the deliveries `restated`, what `incoming` says replaces what stands in the lake.
    `restatements` is a relation (see `since_sql`), unless the lake says what was judged again.
    Returns the files of the lake in which a row must change.
    """
    found = connection.execute("SELECT DISTINCT file FROM seen").fetchall()
    hit = {address: lake[address] for (address,) in found}
    keys = keys_sql(contract)
    was = ", ".join(f"{c} AS was_{c}" for c in STANDING)
    types = stored_columns(contract)
    nulls = ", ".join(f"NULL::{types[c]} AS was_{c}" for c in STANDING)
    columns = [c for c in types if c != MONTH]
    old = files_sql(contract, hit, columns=columns, is_located=True)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW assertions AS
        SELECT {keys}, NULL::VARCHAR AS file, NULL::BIGINT AS place, {nulls}
        FROM incoming SEMI JOIN touched USING (record_id)
        UNION ALL
        SELECT {keys}, file, place, {was} FROM ({old}) SEMI JOIN touched USING (record_id)
        WHERE superseded_at IS NULL AND {_is_none_of(restated)}
        """
    )
    said = f"({restatements_sql(f'FROM ({old}) SEMI JOIN touched USING (record_id)')})"
    standing = since_sql(revisions_sql("assertions"), restatements or said)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {standing}")
    is_changed = " OR ".join(f"{c} IS DISTINCT FROM was_{c}" for c in STANDING)
    changed = connection.execute(
        f"SELECT file FROM standing WHERE file IS NOT NULL AND ({is_changed})"
        f"UNION SELECT file FROM ({old}) "
        f"WHERE superseded_at IS NULL AND NOT ({_is_none_of(restated)})"
    ).fetchall()
    return [lake[address] for (address,) in sorted(changed)]


def _is_none_of(delivery_ids: Collection[str]) -> str:
    return f"delivery_id NOT IN ({literals(sorted(delivery_ids))})" if delivery_ids else "TRUE"


def new_rows_sql(contract: Contract) -> str:
    """Rows of `incoming` of which no record is touched: each is the first of its record."""
    first = {
        "revision": "1::INTEGER",
        "known_from": "received_at",
        "known_to": "NULL::TIMESTAMP",
        "is_latest": "TRUE",
        MONTH: month_sql(contract),
        "held": "NULL::VARCHAR",
        "restated_at": "NULL::TIMESTAMP",
        "superseded_at": "NULL::TIMESTAMP",
    }
    return f"SELECT {columns_sql(contract, first)} FROM incoming"


def merged_rows_sql(
    contract: Contract, rewritten: dict[str, DataFile], restated: Collection[str] = ()
) -> str:
    """Rows of `incoming` as `standing` places them, and the rows of the rewritten files.

    What stands there of the deliveries `restated` is left out: `incoming` says it anew.
    """
    first = {"revision": "1::INTEGER", "known_from": "received_at", "is_latest": "TRUE"}
    incoming = {
        c: f"CASE WHEN standing.is_judged THEN standing.{c} ELSE {first.get(c, 'NULL')} END"
        for c in STANDING
    }
    incoming |= {
        "restated_at": "standing.restated_at",
        "superseded_at": "NULL::TIMESTAMP",
        MONTH: month_sql(contract),
    }
    kept = {
        c: f"CASE WHEN standing.place IS NULL THEN stored.{c} ELSE standing.{c} END"
        for c in STANDING
    }
    columns = list(stored_columns(contract))
    stored = files_sql(contract, rewritten, columns=columns, is_located=True)
    placed = ", ".join((*STANDING, "restated_at", "file", "place", "delivery_id", "source_row"))
    standing = f"SELECT {placed}, TRUE AS is_judged FROM standing"
    return f"""
        SELECT {columns_sql(contract, incoming, "stated")} FROM incoming AS stated
        LEFT JOIN ({standing} WHERE file IS NULL) AS standing USING (delivery_id, source_row)
        UNION ALL
        SELECT {columns_sql(contract, kept, "stored")} FROM ({stored}) AS stored
        LEFT JOIN ({standing} WHERE file IS NOT NULL) AS standing
            ON standing.file = stored.file AND standing.place = stored.place
        WHERE stored.superseded_at IS NOT NULL
            OR {_is_none_of(restated).replace("delivery_id", "stored.delivery_id")}
        """


def columns_sql(contract: Contract, computed: dict[str, str], relation: str = "incoming") -> str:
    """The columns that are stored, some of them computed, the others as `relation` has them."""
    return ", ".join(
        f"{computed[c]} AS {name(c)}" if c in computed else f"{relation}.{name(c)}"
        for c in stored_columns(contract)
    )


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    [(number,)] = connection.execute(query).fetchall()
    return int(number)

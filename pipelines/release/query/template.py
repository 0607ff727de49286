"""The query of an extract, of records as of counts: named steps from a table to what leaves.

    WITH placed  AS (…)  -- the rows of the table, with their moments
       , asked   AS (…)  -- the clause of each, and whether it lies in what was asked for
       , masked  AS (…)  -- the cells that restrictions take away
       , judged  AS (…)  -- what is held back, and for which reason   (so far `policy/eligible.py`)
       , grouped AS (…)  -- the group of records alike in which each is (`k_anonymity.py`)
       , ranked  AS (…)  -- records: how coarsely each is told
       , named   AS (…)  --          its name for the recipient, is it open, was it asked for
       , told    AS (…)  --          what is told of it               (`records.py`)
       , beside  AS (…)  -- counts:  the same, where it may leave as a record too
       , chosen  AS (…)  --          the rows of a clause that were asked for
       , counted AS (…)  --          those that are counted, once     (`counts.py`)
    SELECT …             -- what leaves; how many by clause; the private list of whose rows

Each row leaves under exactly one clause, the most generous that covers it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.release.policy.eligible import Eligible
from schemas.agreement import Permit
from schemas.contract import Column
from schemas.sqltext import literal

KEPT, MASKED, DROPPED = "kept", "masked_", "dropped_"
ACROSS = "is_across"
SHOWN_FROM = 5


@dataclass(frozen=True)
class OutColumn:
    """One column as it leaves; `column` is what the contract says of it, None for our own."""

    name: str
    duckdb_type: str
    column: Column | None = None


@dataclass(frozen=True)
class CompiledQuery:
    """An extract as SQL over the catalogue; the connection must have the release key.

    `sql` gives what leaves, `flow_sql` what was kept, masked and dropped by clause
    (`flow.read_flow`), `holdings_sql` the private list (record_id, clause, given_as): the true
    number of each record that leaves or is counted, and the name under which the recipient knows
    it. Numbers smaller than `shown_from` are not told in what leaves.
    """

    sql: str
    flow_sql: str
    holdings_sql: str
    columns: tuple[OutColumn, ...]
    permits: tuple[Permit, ...]
    shown_from: int


@dataclass(frozen=True)
class Template:
    """The steps of a query, those of `before` and then more, as SQL of a WITH."""

    before: Eligible
    steps: tuple[str, ...]

    def select(self, last: str) -> str:
        """The steps, and what is selected of them."""
        return f"WITH {', '.join([self.before.steps, *self.steps])} {last}"

    def flow(self, values: str, of_rows: str, across: str) -> str:
        """One row a clause: `values` and what was dropped; `of_rows` joins to `_no`, `across` is
        SQL of whether others lie across the choice.
        """
        permits = enumerate(self.before.permits, 1)
        numbers = ", ".join(f"({at}, {literal(one.full_name)})" for at, one in permits)
        dropped = [
            f"count(*) FILTER (WHERE _reason = {literal(reason)}) AS {DROPPED}{reason}"
            for reason in ("ceiling", "sensitivity", "delay")
        ]
        return self.select(
            f"SELECT _no.full_name AS clause, {values}, _gone.* EXCLUDE (_scope), "
            f"{across} AS {ACROSS} FROM (VALUES {numbers}) AS _no(no, full_name) {of_rows} "
            f"LEFT JOIN (SELECT _scope, {', '.join(dropped)} FROM judged WHERE _clause IS NULL "
            "GROUP BY _scope) AS _gone ON _gone._scope = _no.no ORDER BY _no.no"
        )

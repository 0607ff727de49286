"""SQL over the records of the demonstration, as the rules of their table are written.

A name may be a column of the records, one that the contract derives, an attribute of a code, or one
that the feed does not tell, which is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from schemas.codelist import load_codelist
from schemas.sqltext import literal, name

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from schemas.table import Contract

WORD = re.compile(r"'[^']*'|[A-Za-z_]\w*(?!\w*\s*\()")
ARROW_TYPES = {"VARCHAR": "string", "BOOLEAN": "bool_", "INTEGER": "int64", "BIGINT": "int64"}
ARROW_TYPES |= {"DOUBLE": "float64"}


class RecordQuery:
    """Evaluates expressions over the records of one table."""

    def __init__(self, contract: Contract, handling: str) -> None:
        """Keep the contract; `handling` is the feed's own."""
        self.contract = contract
        self.columns = {column.name: column for column in contract.columns}
        self.helpers = {helper.name: helper for helper in contract.helpers}
        self.literals = {"feed_handling": literal(handling)}

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """A database of its own, of one thread: there are few records."""
        import duckdb

        connection = duckdb.connect(config={"threads": 1})
        # A number tells itself apart just as well as the token that stands for it.
        connection.execute("CREATE MACRO keyed_token(kind, words) AS words")
        return connection

    def evaluate(self, records: pd.DataFrame, expressions: Mapping[str, str]) -> pd.DataFrame:
        """One column an expression, with the index of the records."""
        import pyarrow as pa

        needed: dict[str, Any] = {}
        listed = ", ".join(
            f"({self._resolved(sql, records, needed)}) AS {name(key)}"
            for key, sql in expressions.items()
        )
        needed[""] = pa.array(range(len(records)))
        arrays, names = list(needed.values()), [one or "position__" for one in needed]
        with self.connection.cursor() as cursor:
            cursor.register("records", pa.table(arrays, names))
            found = cursor.execute(f"SELECT {listed} FROM records ORDER BY position__").df()
        result: pd.DataFrame = found.set_axis(records.index)
        return result

    def changed(self, records: pd.DataFrame, values: Mapping[str, str]) -> dict[str, pd.Series]:
        """By column what it then says, with the index of the records; None where nothing."""
        import pandas as pd

        found = self.evaluate(records, values) if values and len(records) else records[[*values]]
        told = {}
        for column in values:
            if self.columns[column].duckdb_type in ("TIMESTAMP", "DATE"):
                told[column] = pd.to_datetime(found[column]).astype("datetime64[us]")
            else:
                told[column] = found[column].astype(object).where(found[column].notna(), None)
        return told

    def _resolved(self, sql: str, records: pd.DataFrame, needed: dict[str, Any]) -> str:
        """The expression with derived columns written out; fills `needed` with what it reads."""

        def of(match: re.Match[str]) -> str:
            word = match[0]
            column = self.columns.get(word)
            if word in records:
                needed.setdefault(word, self._array(word, records[word]))
            elif word in self.literals:
                return self.literals[word]
            elif helper := self.helpers.get(word):
                if not helper.codelist:
                    return f"CAST(NULL AS {'BOOLEAN' if helper.geofence else helper.type})"
                rows = load_codelist(helper.codelist)
                known = {row["code"]: row[helper.attribute] or None for row in rows}
                if helper.column in records:
                    needed.setdefault(word, self._array("", records[helper.column].map(known)))
                return (
                    f"CAST({name(word) if helper.column in records else 'NULL'} AS {helper.type})"
                )
            elif column and column.day_of in records:
                return f"CAST({self._resolved(column.day_of, records, needed)} AS DATE)"
            elif column and column.derive:
                return f"({self._resolved(column.derive, records, needed)})"
            elif column:
                return f"CAST(NULL AS {column.duckdb_type})"
            elif word.endswith("__unread"):
                return "NULL"
            else:
                return word
            return name(word)

        return WORD.sub(of, sql)

    def _array(self, column: str, values: pd.Series) -> Any:
        """A column as Arrow has it, by its type in the contract."""
        import pandas as pd
        import pyarrow as pa

        said = self.columns.get(column)
        if (said and said.duckdb_type in ("TIMESTAMP", "DATE")) or values.dtype.kind == "M":
            return pa.array(pd.to_datetime(values).astype("datetime64[us]"), from_pandas=True)
        kind = ARROW_TYPES.get(said.duckdb_type) if said else None
        kind = kind or ("string" if values.dtype.kind == "O" else None)
        return pa.array(values, getattr(pa, kind)() if kind else None, from_pandas=True)

"""The SQL of the catalogue: views over exact files, reference tables, words on everything, macros.

Not here: building the file and putting it in place (`catalogue.py`).

Everything must mean the same in DuckDB 1.1 to 2.0, without an extension and without the network.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.lake.data_files import files_sql
from pipelines.lake.tables import NULL_PARTITION, DataFile, partition_types
from schemas.contract import Contract
from schemas.render.ddl import comments
from schemas.sqltext import literal, name

MACROS = (
    (
        "label",
        """CREATE MACRO label(list_name, code_value, lang := 'en') AS (
            SELECT CASE WHEN lower(lang) = 'fr' THEN label_fr ELSE label_en END
            FROM code_labels WHERE code_labels.list = list_name AND code_labels.code = code_value)
        """,
        "The words of a code: label('offences', offence_code, lang := 'fr')",
    ),
)


def view_statements(contract: Contract, files: dict[str, DataFile]) -> list[str]:
    """`<table>` and, for data tables, `<table>_history` and the macro `<table>_as_of(moment)`."""
    table = contract.table
    if contract.kind != "data":
        return [f"CREATE VIEW {name(table)} AS {_select(contract, files)}"]
    latest = {a: f for a, f in files.items() if f.partition["is_latest"] == "true"}
    history = _select(contract, files)
    return [
        f"CREATE VIEW {name(table)} AS SELECT * FROM ({_select(contract, latest)}) "
        "WHERE is_withdrawn IS NOT TRUE",
        f"CREATE VIEW {name(table + '_history')} AS {history}",
        # The files again rather than the view: a macro looks a view up in the reader's current
        # database, which is another one where the catalogue is attached beside it.
        f"CREATE MACRO {name(as_of_macro(contract))}(moment) AS TABLE SELECT * FROM ({history}) "
        "WHERE known_from <= moment AND (known_to IS NULL OR known_to > moment) "
        "AND is_withdrawn IS NOT TRUE",
    ]


def as_of_macro(contract: Contract) -> str:
    """The name of the macro that gives the table as it was known at a moment (UTC)."""
    return f"{contract.table}_as_of"


def comment_statements(contract: Contract) -> list[str]:
    """What the contract says about each relation of the table and its columns, and the macro."""
    if contract.kind == "reference":
        return comments(contract, "TABLE")
    if contract.kind == "log":
        return comments(contract, "VIEW")
    history, macro = name(f"{contract.table}_history"), name(as_of_macro(contract))
    words = (
        f"{contract.title.en}: every version of every record, withdrawn ones too; known_from and "
        "known_to say when each was what we knew | "
        f"{contract.title.fr} : toutes les versions de chaque fiche, retirées comprises ; "
        "known_from et known_to disent quand chacune était l’état connu"
    )
    as_of = (
        f"{contract.title.en} as known at a moment (UTC) | "
        f"{contract.title.fr} tels que connus à un moment donné (UTC)"
    )
    return [
        *comments(contract, "VIEW"),
        *comments(contract, "VIEW", f"{contract.table}_history"),
        f"COMMENT ON VIEW {history} IS {literal(words)}",
        f"COMMENT ON MACRO TABLE {macro} IS {literal(as_of)}",
    ]


def reference_statement(contract: Contract, columns: Sequence[str]) -> str:
    """A small real table of code-list rows from the relation `list_rows`, typed by the contract."""
    chosen = ", ".join(
        (
            f"nullif(trim({name(c.name)}::VARCHAR), '')::{c.duckdb_type} AS {name(c.name)}"
            if c.name in columns
            else f"NULL::{c.duckdb_type} AS {name(c.name)}"
        )
        for c in contract.published
    )
    return f"CREATE TABLE {name(contract.table)} AS SELECT {chosen} FROM list_rows"


def _select(contract: Contract, files: dict[str, DataFile]) -> str:
    columns = [c.name for c in contract.published]
    shown = {address: file for address, file in files.items() if not file.has_held}
    rows = files_sql(contract, shown, columns=columns, is_located=False)
    if held := {address: file for address, file in files.items() if file.has_held}:
        some = files_sql(contract, held, columns=[*columns, "held"], is_located=False)
        rows += f"\nUNION ALL\nSELECT * EXCLUDE (held) FROM ({some}) WHERE held IS NULL"
    unknown = {
        column
        for file in files.values()
        for column, value in file.partition.items()
        if value is None and column in columns
    }
    if not unknown:
        return rows
    types = partition_types(contract)
    # DuckDB before 1.3 takes the name of the folder of unknown values at its word
    chosen = ", ".join(
        f"nullif({name(c)}, {literal(NULL_PARTITION)}) AS {name(c)}"
        if c in unknown and types[c] == "VARCHAR"
        else name(c)
        for c in columns
    )
    return f"SELECT {chosen} FROM ({rows})"

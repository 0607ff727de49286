"""The page that says what the rendered files are and what to open each with.

Not here: the files themselves (the other modules of this folder).
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.contract import Contract
from schemas.render.frictionless import SAMPLES

_KEPT = (
    ("<table>.odcs.yaml", "the contract of a table (Open Data Contract Standard 3.1)"),
    ("agreement.schema.json", "an agreement (`schemas/agreements`), for whoever writes one"),
    ("declarations/", "the files of `schemas` that declare tables and feeds, for their editors"),
    ("agreement-problems.md", "what `passerelle agreement check` may find, by code"),
)
_ASKED_FOR = (
    ("<table>.odcs.yaml", "the same as here"),
    ("<table>.sql", "the table in DuckDB, with a comment on each column in English and French"),
    ("<table>.arrow", "the table in Arrow, without a row, with the words as metadata"),
    ("<table>.schema.json", "one row as JSON (JSON Schema 2020-12)"),
    (
        "<table>.expectations.json",
        "what Great Expectations checks: `accepted` strictly, `quarantined` by recounting",
    ),
    ("datapackage.json", f"all tables as a Frictionless Data Package, with `{SAMPLES}/`"),
    ("hxl.csv", "the HXL tag of each column"),
)


def guide(contracts: Sequence[Contract]) -> str:
    """The page as Markdown, ending with a line feed."""
    tables = ", ".join(f"`{contract.table}` {contract.version}" for contract in contracts)
    lines = [
        "# What follows from the contracts",
        "",
        "Rendered from `schemas` by `python -m schemas.render`; a test fails when a file is "
        "stale. Change the declaration, never these files. For people there are "
        "[the data dictionary](../data-dictionary.en.md) and "
        "[le dictionnaire des données](../data-dictionary.fr.md).",
        "",
        *_table(_KEPT),
        "",
        "`passerelle contract render FOLDER` writes what other programs read:",
        "",
        *_table(_ASKED_FOR),
        "",
        f"Tables and versions: {tables}.",
        "",
        "A published table is tested against its contract on a copy, in the folder of "
        "`catalog.duckdb`:",
        "",
        "```",
        "mkdir published",
        "duckdb -readonly catalog.duckdb -c \"COPY incidents TO 'published/incidents.parquet'\"",
        "datacontract test …/docs/schemas/incidents.odcs.yaml",
        "```",
        "",
        "```",
        "datacontract lint docs/schemas/incidents.odcs.yaml",
        "passerelle contract render contracts",
        "frictionless validate contracts/datapackage.json",
        "duckdb -c '.read contracts/incidents.sql' -c 'DESCRIBE incidents'",
        "```",
    ]
    return "\n".join(lines) + "\n"


def _table(files: Sequence[tuple[str, str]]) -> list[str]:
    rows = (f"| `{name}` | {what} |" for name, what in files)
    return ["| File | What it is |", "| --- | --- |", *rows]

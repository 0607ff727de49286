"""What other programs read of the contracts, in a form for each: SQL, Arrow, JSON Schema, GX.

Not here: how each is made (the other modules of this folder), and what is kept in the repository
(`__main__.py`): these files are written where they are asked for, since they follow from the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.contract import Contract, load_contract, table_names
from schemas.render import arrow, ddl, expectations, frictionless, hxl, jsonschema, odcs


def write(folder: Path) -> list[Path]:
    """Write every file below `folder` and return their paths. Raises ContractError, OSError."""
    written = []
    for name, text in files():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        written.append(place)
    return written


def files() -> Iterator[tuple[str, str | bytes]]:
    """Each file: its path and what it holds. Raises ContractError."""
    every = [load_contract(table) for table in table_names()]
    for contract in every:
        yield from _of_table(contract)
    yield "datapackage.json", as_json(frictionless.data_package(every))
    yield "hxl.csv", hxl.hxl_table(every)


def _of_table(contract: Contract) -> Iterator[tuple[str, str | bytes]]:
    name = contract.table
    yield f"{name}{odcs.SUFFIX}", odcs.script(contract)
    yield f"{name}.sql", ddl.script(contract)
    yield f"{name}.arrow", arrow.arrow_file(contract)
    yield f"{name}.schema.json", as_json(jsonschema.json_schema(contract))
    yield f"{frictionless.SAMPLES}/{name}.csv", frictionless.sample_csv(contract)
    if contract.kind == "data":
        suites = {
            "accepted": expectations.accepted_suite(contract),
            "quarantined": expectations.quarantined_suite(contract),
        }
        yield f"{name}.expectations.json", as_json(suites)


def as_json(value: Any) -> str:
    """JSON as people read it, ending with a line feed."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"

"""Write every rendered file, or with `--check` say which ones are stale and exit 1.

Not here: how each file is made (the other modules of this folder).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from schemas.contract import load_contract, table_names
from schemas.render import (
    agreement,
    ddl,
    dictionary,
    expectations,
    frictionless,
    guide,
    hxl,
    jsonschema,
)
from schemas.text import LANGUAGES

DOCS = Path(__file__).parents[2] / "docs"


def rendered() -> dict[str, str]:
    """Every rendered file: its path under `docs/` and its text."""
    contracts = [load_contract(table) for table in table_names()]
    files = {
        f"data-dictionary.{language}.md": dictionary.data_dictionary(contracts, language)
        for language in LANGUAGES
    }
    for contract in contracts:
        base = f"schemas/{contract.table}"
        files[f"{base}.sql"] = ddl.script(contract)
        files[f"{base}.schema.json"] = _json(jsonschema.json_schema(contract))
        sample = frictionless.sample_csv(contract)
        files[f"schemas/{frictionless.SAMPLES}/{contract.table}.csv"] = sample
        if contract.kind == "data":
            suites = {
                "accepted": expectations.accepted_suite(contract),
                "quarantined": expectations.quarantined_suite(contract),
            }
            files[f"{base}.expectations.json"] = _json(suites)
    files["schemas/agreement.schema.json"] = _json(agreement.agreement_schema())
    files["schemas/agreement-problems.md"] = agreement.problems_page()
    files["schemas/datapackage.json"] = _json(frictionless.data_package(contracts))
    files["schemas/README.md"] = guide.guide(contracts)
    files["schemas/hxl.csv"] = hxl.hxl_table(contracts)
    return files


def stale(folder: Path = DOCS) -> list[str]:
    """The rendered files that are absent, differ, or are left over from a table that is gone."""
    wanted = rendered()
    held = {path.relative_to(folder).as_posix() for path in (folder / "schemas").rglob("*.*")}
    differ = [path for path, text in wanted.items() if _read(folder / path) != text]
    return sorted({*differ, *(held - set(wanted))})


def write(folder: Path = DOCS) -> list[str]:
    """Bring the rendered files up to date; returns those that changed or were removed."""
    changed, wanted = stale(folder), rendered()
    for path in changed:
        target = folder / path
        if path not in wanted:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[path], encoding="utf-8", newline="\n")
    return changed


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Exit code 0 when all is current or was written, 1 when `--check` found stale files."""
    if "--check" in arguments:
        found = stale()
        for path in found:
            print(f"stale: docs/{path}; run python -m schemas.render")
        return 1 if found else 0
    for path in write():
        print(f"wrote docs/{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

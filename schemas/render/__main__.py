"""Write the rendered files that are kept in the repository; `--check` says which are stale, exit 1.

Not here: how each file is made (the other modules of this folder), and the forms that only other
programs read (`interchange.py`): kept is what people and editors read, and what shows a change of a
contract in review. A declaration that cannot be relied on is told with its file and line, and
nothing is written.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from schemas import contract_check, rule_codes
from schemas.contract import load_contract, table_names
from schemas.problem import ContractError, ContractProblem
from schemas.render import agreement, declarations, dictionary, guide, history, odcs
from schemas.render.interchange import as_json
from schemas.table import Contract
from schemas.text import LANGUAGES

DOCS = Path(__file__).parents[2] / "docs"


def contracts() -> list[Contract]:
    """Every contract. Raises ContractError."""
    return [load_contract(table) for table in table_names()]


def problems(texts: dict[str, str]) -> list[ContractProblem]:
    """What no single file shows: names of no column, codes used before, versions not raised.

    `texts` are rendered.
    """
    every = contracts()
    of_tables = {one.table: texts[f"schemas/{one.table}{odcs.SUFFIX}"] for one in every}
    unknown = [problem for one in every for problem in contract_check.problems(one.table)]
    return [*unknown, *rule_codes.problems(every), *history.problems(every, of_tables)]


def rendered() -> dict[str, str]:
    """Every rendered file: its path under `docs/` and its text."""
    every = contracts()
    files = {
        f"data-dictionary.{language}.md": dictionary.data_dictionary(every, language)
        for language in LANGUAGES
    }
    for contract in every:
        files[f"schemas/{contract.table}{odcs.SUFFIX}"] = odcs.script(contract)
    files["schemas/agreement.schema.json"] = as_json(agreement.agreement_schema())
    files["schemas/agreement-problems.md"] = agreement.problems_page()
    files["schemas/README.md"] = guide.guide(every)
    for name, schema in declarations.declaration_schemas().items():
        files[f"schemas/{declarations.FOLDER}/{name}.schema.json"] = as_json(schema)
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


def main(arguments: list[str]) -> int:
    """Exit code 0 when all is current or was written, 1 for what is stale or wrong."""
    try:
        if found := problems(rendered()):
            raise ContractError(found)
    except ContractError as error:
        print(error.text("fr" if os.environ.get("LANG", "").startswith("fr") else "en"))
        return 1
    codes, listed = rule_codes.CODES_FILE, rule_codes.with_new_codes(contracts())
    has_new_codes = _read(codes) != listed
    if "--check" in arguments:
        found_stale = [f"docs/{path}" for path in stale()]
        found_stale += [f"schemas/{codes.name}"] if has_new_codes else []
        for path in found_stale:
            print(f"stale: {path}; run python -m schemas.render")
        return 1 if found_stale else 0
    if has_new_codes:
        codes.write_text(listed, encoding="utf-8", newline="\n")
        print(f"wrote schemas/{codes.name}")
    for path in write():
        print(f"{'wrote' if (DOCS / path).is_file() else 'removed'} docs/{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

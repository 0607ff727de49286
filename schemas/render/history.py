"""What was committed before: a contract that changed has a higher version.

Not here: what a contract says now. Outside a git repository, and where its history ends, there is
nothing to compare with.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

import yaml

from schemas import declared, rule_codes
from schemas.lines import line_of
from schemas.problem import ContractProblem
from schemas.render.odcs import SUFFIX
from schemas.table import Contract
from schemas.text import FOLDER, LOADER

ROOT = FOLDER.parent
REVISIONS = ("HEAD", "HEAD~1")  # what is being written, and the commit that was just made


def problems(contracts: Sequence[Contract], texts: Mapping[str, str]) -> list[ContractProblem]:
    """Contracts that changed under the same version, and codes that left the list of codes.

    `texts` are the rendered contracts by the name of the table.
    """
    found = []
    for contract in contracts:
        path = f"docs/schemas/{contract.table}{SUFFIX}"
        before = (committed(path, revision) for revision in REVISIONS)
        earlier = next((one for one in before if one and one != texts[contract.table]), None)
        if earlier and is_unraised(earlier, texts[contract.table]):
            file = declared.table_path(contract.table)
            values = {"table": contract.table, "version": contract.version}
            line = line_of(file, ("version",))
            found.append(ContractProblem("CON-404", file, line, values))
    listed = f"{FOLDER.name}/{rule_codes.CODES_FILE.name}"
    for revision in REVISIONS:
        found += rule_codes.removed(committed(listed, revision) or "")
    return list(dict.fromkeys(found))


def is_unraised(before: str, after: str) -> bool:
    """Does a contract say something else, and not under a higher version?"""
    was, now = (yaml.load(text, Loader=LOADER) for text in (before, after))  # noqa: S506
    if was == now:
        return False
    return _version(now["version"]) <= _version(was["version"])


def committed(path: str, revision: str) -> str | None:
    """The text of a file in a revision; None where there is no such file, revision or git."""
    command = ["git", "show", f"{revision}:./{path}"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode("utf-8")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))

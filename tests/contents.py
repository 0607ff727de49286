"""Fingerprints of everything that a home holds and would hand out, to compare two of them.

    python -m tests.contents HOME > before.json     # with the program as it was
    python -m tests.contents HOME > after.json      # another home, with the program as it is
    python -m tests.contents before.json after.json # what differs; exit code 1 where anything does

It tells of each published table and its history, of `rejections`, and of the extract of each
recipient, table, form and purpose that the agreements open: how many rows, and a fingerprint of
them whatever their order. Left out are the clock (when a file was judged, and by which version of
what) and what a key of the home makes: of tokens only how many there are.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

CLOCK = ("harmonised_at", "restated_at", "program_version", "feed_version", "contract_version")
KEYED = ("document_token", "vehicle_token", "serial_token")
AS_OF = dt.date(2026, 11, 17)  # the last day of the demonstration


def contents(home: Path) -> dict[str, str]:
    """By the name of each table and extract: its rows, and their fingerprint."""
    import pipelines
    from pipelines.core.settings import settings_for
    from schemas.contract import table_names

    settings = settings_for(home)
    found: dict[str, str] = {}
    with pipelines.connect(settings) as connection:
        for table in table_names():
            found[table] = fingerprint(connection, table, keyed=KEYED)
        for table in table_names("data"):
            found[f"{table}_history"] = fingerprint(connection, f"{table}_history", keyed=KEYED)
    return found | _extracts(settings)


def _extracts(settings: Any) -> dict[str, str]:
    from pipelines.release.errors import ReleaseError
    from pipelines.release.policy.permits import offers
    from pipelines.release.query.selection import open_selection
    from pipelines.release.request import Request
    from schemas.agreement_folder import load_agreements
    from schemas.organisation import organisations

    agreements, found = load_agreements(settings.agreements), {}
    for recipient in organisations():
        for offer in offers(agreements, recipient, AS_OF):
            opened: set[tuple[str, ...]] = set()
            for purpose in offer.purposes:
                clauses = tuple(repr(one) for one in offer.permits if purpose in one.purposes)
                if clauses in opened:  # the same rows for another purpose
                    continue
                opened.add(clauses)
                request = Request(offer.table, recipient, purpose, AS_OF, form=offer.form)
                name = f"{recipient} {offer.table} {offer.form} {purpose}"
                try:
                    with (
                        tempfile.TemporaryDirectory() as folder,
                        open_selection(settings, request, Path(folder)) as material,
                    ):
                        rows = f"read_parquet('{material.rows}')"
                        keyed = (*KEYED, "record_id")  # named anew for each recipient
                        found[name] = fingerprint(material.connection, rows, keyed=keyed)
                except ReleaseError as refused:
                    found[name] = f"refused: {refused.code} {refused.case}"
    return found


def fingerprint(connection: Any, relation: str, *, keyed: tuple[str, ...]) -> str:
    """How many rows, of how many columns, and a hash of them whatever their order."""
    columns = [row[0] for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
    left_out = [name for name in columns if name in (*CLOCK, *keyed)]
    exclude = f"EXCLUDE ({', '.join(left_out)})" if left_out else ""
    row_hash = connection.execute(
        "SELECT count(*), coalesce(bit_xor(hash(row)), 0), coalesce(sum(hash(row)::HUGEINT), 0) "
        f"FROM (SELECT * {exclude} FROM {relation}) AS row"
    ).fetchone()
    numbers = list(row_hash[1:])
    if distinct := [f"count(DISTINCT {name})" for name in columns if name in keyed]:
        counted = connection.execute(f"SELECT {', '.join(distinct)} FROM {relation}").fetchone()
        numbers += counted
    told = "-".join(f"{int(number):x}" for number in numbers)
    return f"{row_hash[0]} rows, {len(columns)} columns, {told}"


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What is in one and not in the other, or differs."""
    names = sorted({*before, *after})
    absent = "absent"
    return [
        f"{name}: {before.get(name, absent)} → {after.get(name, absent)}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def main(arguments: list[str]) -> int:
    """Print the contents of a home, or the differences of two that were printed."""
    if len(arguments) == 1:
        print(json.dumps(contents(Path(arguments[0])), indent=1, ensure_ascii=False))
        return 0
    before, after = (json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments)
    found = differences(before, after)
    print("\n".join(found) or f"nothing differs in {len(after)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

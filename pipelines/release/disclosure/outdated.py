"""Extracts that tell records more finely than they are told now: noted in the ledger, and found.

Not here: why groups are made coarser (`k_anonymity.py`), and calling records back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from pipelines.core.settings import Settings
from pipelines.ledger.chain import Entry, NewEntry, append_all, as_entry
from pipelines.ledger.database import readings, troubles
from pipelines.ledger.models import LedgerEntry
from pipelines.release.disclosure.k_anonymity import levels_on
from pipelines.release.disclosure.past_disclosures import asked_of
from pipelines.release.policy.dimensions import levels_needed
from pipelines.release.policy.precision import TIME_LEVELS
from schemas.agreement import Permit
from schemas.codelist import codes
from schemas.contract import Contract, load_contract
from schemas.sqltext import literal

if TYPE_CHECKING:
    import duckdb

MADE, OUTDATED = "extract.made", "extract.outdated"
_Kind = tuple[str, str, str, str]
NOTED_BY = "passerelle"  # nobody did it: it follows from a withdrawal or a correction


@dataclass(frozen=True)
class OutdatedExtract:
    """One extract of which records are told more coarsely since it was made."""

    extract_id: str
    recipient: str
    table: str
    purpose: str
    form: str
    clause: str


def note_outdated(
    settings: Settings, connection: duckdb.DuckDBPyConnection, permit: Permit, coarser: str
) -> None:
    """Note, once, each extract that tells more finely what is told by a clause of records.

    `coarser` is SQL of the records (record_id, stood, rung), as `k_anonymity.made_coarser`. An
    extract of records tells them by that clause; counts of any clause, where what they are counted
    or chosen by is finer than the group is now. Raises LedgerError.
    """
    if not any(settings.release_records.glob("*.parquet")):
        return
    pattern = literal(str(settings.release_records / "*.parquet"))
    if not connection.execute(f"SELECT 1 FROM ({coarser}) LIMIT 1").fetchall():
        return
    found = connection.execute(
        f"SELECT DISTINCT parse_filename(filename, true), form, stood, rung "
        f"FROM read_parquet({pattern}, filename = true, union_by_name = true) "
        f"JOIN ({coarser}) USING (record_id) "
        f"WHERE form = 'counts' OR clause = {literal(permit.full_name)} ORDER BY ALL"
    ).fetchall()
    said = _entries(settings, [MADE, OUTDATED], sorted({extract_id for extract_id, *_ in found}))
    known = {entry.subject for entry in said if entry.event == OUTDATED}
    made = {entry.subject: entry.details for entry in said if entry.event == MADE}
    finer = _Finer(settings, permit)
    outdated = {
        extract_id: form
        for extract_id, form, stood, rung in found
        if extract_id not in known
        and (form == "records" or finer(extract_id, made.get(extract_id, {}), stood, rung))
    }
    new = [
        NewEntry(
            OUTDATED,
            actor=NOTED_BY,
            subject=extract_id,
            details={
                "clause": permit.full_name,
                "form": form,
                **{
                    key: str(made.get(extract_id, {}).get(key, ""))
                    for key in ("recipient", "table", "purpose")
                },
            },
        )
        for extract_id, form in outdated.items()
    ]
    if new:
        append_all(settings, new)


class _Finer:
    """Do counts tell more of a record than its group does now?"""

    def __init__(self, settings: Settings, permit: Permit) -> None:
        self.settings, self.permit = settings, permit
        self.contract = load_contract(permit.table)
        levels = levels_on(permit)
        self.told = [(int(s.area), int(s.time), int(s.age), int(s.detail)) for s in levels]
        self.needed: dict[str, tuple[int, ...] | None] = {}

    def __call__(
        self, extract_id: str, made: Mapping[str, Any], stood: int, rung: int | None
    ) -> bool:
        if made.get("table") != self.permit.table:
            return False
        if rung is None:  # it is counted no longer
            return True
        if extract_id not in self.needed:
            self.needed[extract_id] = self._needed(extract_id, str(made.get("recipient", "")))
        needed = self.needed[extract_id]
        levels = zip(needed or self.told[0], self.told[stood], self.told[rung], strict=True)
        return any(now < min(need, before) for need, before, now in levels)

    def _needed(self, extract_id: str, recipient: str) -> tuple[int, ...] | None:
        """The levels that tell all it is counted and chosen by; None where nobody wrote it down."""
        asked = asked_of(self.settings, self.permit.table, recipient, extract_id)
        if not asked:
            return None
        names = [*asked["dimensions"], *asked["measures"]]
        told = [levels_needed(one, self.contract) for one in names]
        return tuple(map(max, zip(*told, _chosen(asked, self.contract), strict=True)))


def _chosen(asked: Mapping[str, Any], contract: Contract) -> tuple[int, int, int, int]:
    """The least levels that tell whether a record is in what was chosen."""
    first, last = (asked[one] and dt.date.fromisoformat(asked[one]) for one in ("since", "until"))
    is_in_months = (not first or first.day == 1) and (
        not last or (last + dt.timedelta(days=1)).day == 1
    )
    finer = set(asked["areas"]).difference(codes("countries"))
    area = (2 if finer.difference(codes("admin_areas")) else 1) if finer else 0
    coarsest = next((one.characters for one in contract.levels.values()), 0)
    detail = int(any(len(one) > coarsest for one in asked["offences"]))
    return area, 0 if is_in_months else TIME_LEVELS["day"], 0, detail


def outdated_extracts(settings: Settings, extract_id: str = "") -> list[OutdatedExtract]:
    """The extracts that are outdated and that no later one of the same kind takes the place of.

    With `extract_id` that one, taken the place of or not. Raises LedgerError.
    """
    said = _entries(settings, [OUTDATED], [extract_id] if extract_id else [])
    latest = {} if extract_id else _latest(_entries(settings, [MADE], []) if said else [])
    return [
        OutdatedExtract(entry.subject, *_kind(entry), str(entry.details.get("clause", "")))
        for entry in said
        if entry.seq > latest.get(_kind(entry), 0)
    ]


def _latest(made: list[Entry]) -> dict[_Kind, int]:
    """Recipient, table, purpose and form → the last entry of an extract of that kind."""
    return {_kind(entry): entry.seq for entry in made}


def _kind(entry: Entry) -> _Kind:
    recipient, table, purpose = (
        str(entry.details.get(key, "")) for key in ("recipient", "table", "purpose")
    )
    return recipient, table, purpose, str(entry.details.get("form", "records"))


def _entries(settings: Settings, events: list[str], subjects: list[str]) -> list[Entry]:
    """The entries of these events, about these extracts where any are given, in their order."""
    chosen = sa.select(LedgerEntry).where(LedgerEntry.event.in_(events))
    at_once = 500
    found: list[Entry] = []
    with troubles(), readings(settings).begin() as session:
        for start in range(0, max(1, len(subjects)), at_once):
            some = subjects[start : start + at_once]
            about = chosen.where(LedgerEntry.subject.in_(some)) if some else chosen
            found += map(as_entry, session.scalars(about.order_by(LedgerEntry.seq)))
    return sorted(found, key=lambda entry: entry.seq)

"""What a column tells of others: which are masked with one that is masked.

Not here: what each column says it reveals (`schemas/fields`), and masking (`pipelines/release`).
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.record import RECORD_ID, SOURCE
from schemas.table import Contract

# A number that the source built from its station, its date or the order of its rows tells of these
_BUILT_FROM = ("point", "admin2", "admin1", "time", "time_text", "record_key")


def given_away_by(contract: Contract, masked: str) -> frozenset[str]:
    """Every published column that must be masked with `masked`, itself among them.

    They tell of it, or of one that tells of it.
    """
    columns = {column.name: column for column in contract.published}
    # The name of a record is not among them: where its number is masked it becomes a token.
    numbers = {c.name for c in columns.values() if c.coarsen == "record_key"} - {RECORD_ID}
    country = contract.roles.country
    found, todo = {masked}, [masked]
    while todo:
        one = todo.pop()
        telling = {c.name for c in columns.values() if one in (c.reveals or ())}
        if one == country or (one in columns and columns[one].coarsen in _BUILT_FROM):
            telling |= numbers
        todo += sorted(telling - found)
        found |= telling
    return frozenset(found & set(columns))


def told_with(contract: Contract, masked: Iterable[str]) -> frozenset[str]:
    """Every published column that is masked where these are."""
    return frozenset(name for one in masked for name in given_away_by(contract, one))


def naming_masks(contract: Contract) -> frozenset[str]:
    """The columns of which none may be masked where a record leaves under its own number."""
    built = {c.name for c in contract.published if c.coarsen in _BUILT_FROM}
    # Neither is made coarser, and a number can be built from them all the same.
    return frozenset(built | {one for one in (SOURCE, contract.roles.country) if one})

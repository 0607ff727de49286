"""Where a clause and a restriction meet: the rows, organisations and columns that both speak of.

Not here: what is said where they do (`agreement_check.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas import agreement as a
from schemas.organisation import covers


def opened_by(permit: a.Permit) -> set[str]:
    """The columns that a clause opens, as cells, as dimensions or as measures."""
    return {*permit.columns, *permit.dimensions, *permit.measures}


def may_meet(restriction: a.Restriction, permit: a.Permit) -> bool:
    """May a restriction hold for a row that a clause opens?"""
    shared = set(restriction.providers) & set(permit.providers)
    is_same_table = restriction.table == permit.table
    return (
        is_same_table
        and bool(shared)
        and _share_recipient(restriction.recipients, permit.recipients)
    )


def always_holds(restriction: a.Restriction, permit: a.Permit) -> bool:
    """Does a restriction hold for every row that a clause opens, for each of its recipients?"""
    return (
        restriction.rows == a.RestrictedRows()
        and set(permit.providers) <= set(restriction.providers)
        and all(any(covers(r, one) for r in restriction.recipients) for one in permit.recipients)
    )


def _share_recipient(restricted: Iterable[str], permitted: Iterable[str]) -> bool:
    """May one recipient be named by both, itself or through a parent?"""
    permitted = list(permitted)
    return any(
        covers(one, other) or covers(other, one) for one in restricted for other in permitted
    )

"""Agreements made up for tests: one clause with everything it needs, and any of a few clauses.

Not here: the agreements that are shipped.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from pipelines.release.errors import ReleaseError
from pipelines.release.policy.permits import PermitSet, who_may
from schemas.agreement import Agreement
from schemas.contract import table_names
from schemas.organisation import organisations, purposes

DAY = dt.date(2026, 11, 22)
WORDS = {"en": "x", "fr": "y"}
DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2030, 1, 1))
RECIPIENTS = st.sampled_from(list(organisations()))
PURPOSES = st.sampled_from(list(purposes()))
TABLES = st.sampled_from(table_names("data"))
FORMS = st.sampled_from(["records", "counts"])


def permit(**values: Any) -> dict[str, Any]:
    return {
        "clause": "P1",
        "summary": WORDS,
        "providers": ["caf_police"],
        "recipients": ["minusca_unpol"],
        "purposes": ["joint_planning"],
        "table": "incidents",
        "form": "records",
        "columns": ["record_id"],
        "rows": {"handling_ceiling": "CONFIDENTIAL"},
        "precision": {"area": "admin1", "time": "day", "age": "none"},
        "delay_days": 0,
        "smallest_group": 2,
        "onward": {"allowed": False, "consent": "originator"},
        **values,
    }


def agreement(name: str = "one", **values: Any) -> Agreement:
    return Agreement.model_validate(
        {
            "agreement": name,
            "version": "1.0.0",
            "status": "illustrative",
            "title": WORDS,
            "legal_reference": WORDS,
            "signed_on": dt.date(2026, 1, 1),
            "valid_from": dt.date(2026, 1, 1),
            "valid_until": dt.date(2026, 12, 31),
            "parties": ["caf_police", "minusca_unpol"],
            "permits": [permit()],
            **values,
        }
    )


def restriction(**values: Any) -> dict[str, Any]:
    return {
        "clause": "R1",
        "reason": WORDS,
        "providers": ["caf_police"],
        "recipients": ["all"],
        "table": "incidents",
        **values,
    }


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """Any agreement of one or two clauses and perhaps a restriction."""
    clauses = [
        permit(
            clause=f"P{number}",
            recipients=draw(st.lists(RECIPIENTS, min_size=1, max_size=3, unique=True)),
            purposes=draw(st.lists(PURPOSES, min_size=1, max_size=2, unique=True)),
            table=draw(TABLES),
            form=draw(FORMS),
            due_diligence=draw(st.none() | st.builds(review, DAYS, DAYS)),
        )
        for number in range(1, draw(st.integers(2, 3)))
    ]
    held = draw(st.lists(RECIPIENTS | st.just("all"), max_size=2, unique=True))
    return agreement(
        draw(st.sampled_from(["one", "two", "three"])),
        valid_from=draw(DAYS),
        valid_until=draw(DAYS),
        permits=clauses,
        restrictions=[restriction(recipients=held, table=draw(TABLES))] if held else [],
    )


def review(first: dt.date, last: dt.date) -> dict[str, Any]:
    return {"reference": "r", "reviewed_on": first, "valid_until": last}


def opened(them: list[Agreement], **asked: Any) -> set[str]:
    """The clauses that are open, by full name; none where the request is refused."""
    return {one.full_name for one in allowed(them, **asked).permits}


def allowed(them: list[Agreement], **asked: Any) -> PermitSet:
    try:
        return who_may(them, **{"as_of": DAY, **asked})
    except ReleaseError as refusal:
        assert refusal.code == "REL-105"
        return PermitSet((), (), ())


ANY = st.fixed_dictionaries(
    {"recipient": RECIPIENTS, "table": TABLES, "purpose": PURPOSES, "form": FORMS, "as_of": DAYS}
)

"""What people do in the portal, by role: which pages, how often, what they send.

Not here: how a visit is made (`drive.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Visit:
    """One thing that a person does; `weight` of all that they do.

    A path may hold `{found}`: the first thing that `finding` matches on the page `start`. With
    `sends`, the form of `start` is sent to `path`.
    """

    path: str
    weight: int
    start: str = ""
    finding: str = ""
    sends: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How the visit is called in the table."""
        return f"{'POST ' if self.sends else ''}{self.path.replace('{found}', '…')}"


DELIVERY = r'href="(?:/all)?[/-]deliveries/([a-z0-9_]+\.[0-9a-f]{12})'
EVERYBODY = (
    Visit("/", 4),
    Visit("/dictionary", 1, start="/dictionary", sends={"q": "lieu"}),
    Visit("/dictionary/incidents", 1),
    Visit("/account", 1),
)
PREVIEW = {
    "do": "look",
    "form": "records",
    "since": "2026-06-01",
    "until": "2026-10-31",
    "columns": ["record_id", "source", "country", "admin1_code", "occurred_on", "offence_code"],
    "format": "xlsx",
    "language": "en",
}
SQL = {
    "purpose": "joint_planning",
    "question": "SELECT country, count(*) AS areas FROM admin_areas GROUP BY country",
}
VISITS: dict[str, tuple[Visit, ...]] = {
    "mission_staff": (
        *EVERYBODY,
        Visit("/tables", 4),
        Visit("/tables/incidents", 4),
        Visit("/extracts", 4),
        Visit("/tables/incidents", 1, start="/tables/incidents", sends=PREVIEW),
        Visit("/verify", 1),
    ),
    "provider": (
        *EVERYBODY,
        Visit("/deliveries", 5),
        Visit("/deliveries/{found}", 4, start="/deliveries", finding=DELIVERY),
        Visit("/deliveries/new", 2),
    ),
    "data_specialist": (
        *EVERYBODY,
        Visit("/all-deliveries", 4),
        Visit("/all-deliveries/{found}", 3, start="/all-deliveries", finding=DELIVERY),
        Visit("/rejections", 4),
        Visit("/feeds", 4),
        Visit("/feeds/{found}", 2, start="/feeds", finding=r'href="/feeds/([a-z0-9_]+)'),
    ),
    "analyst": (
        *EVERYBODY,
        Visit("/dictionary/incidents/offence_code", 3),
        Visit("/dictionary/lists/offences", 2),
        Visit("/sql", 4),
        Visit("/sql", 2, start="/sql", sends=SQL),
    ),
    "oversight": (
        *EVERYBODY,
        Visit("/ledger", 4),
        Visit("/ledger?event=extract.downloaded", 2),
        Visit("/agreements", 3),
        Visit("/agreements/{found}", 3, start="/agreements", finding=r'"/agreements/([a-z_]+)'),
        Visit("/taken", 3),
    ),
}

"""What the Light Coordination Mechanism lists in the demo: support that is offered and needed.

What is listed is in `support_items.csv`; all of it is invented.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines.demo.world import FIRST_DAY, HERE, LAST_DAY, World

if TYPE_CHECKING:
    import pandas as pd

    from schemas.feed import Feed

ROWS_AT_SCALE_1, FEWEST_ROWS = 260, 160  # at any scale enough for every mistake
CLOSED_ON, LAST_DAY_OF_ALL = "2026-11-02", "2027-06-30"
COUNTRIES = ("CAF", "COD", "SSD", None)
HOMES = {"MINUSCA": "CAF", "MONUSCO": "COD", "UNMISS": "SSD"}
PLACES = {"CAF": "Bangui", "COD": "Goma", "SSD": "Juba"}
STATES = ("open", "open", "open", "matched", "closed", "withdrawn")
HANDLING = ("UNCLASSIFIED", "UNCLASSIFIED", "UNCLASSIFIED", "CONFIDENTIAL")


def compose(
    world: World, feed: Feed, parties: Iterable[tuple[str, str | None, str | None]]
) -> pd.DataFrame:
    """By number; what, who, where and when follow from chance, and nothing open has ended.

    `parties` offer or need something: kind, country, mission.
    """
    import pandas as pd

    rng = world.rng(f"{feed.feed} list")
    size = max(FEWEST_ROWS, world.count(ROWS_AT_SCALE_1))

    def chosen(values: Any) -> pd.Series:
        return pd.Series([values[at] for at in rng.integers(0, len(values), size)], dtype=object)

    items = pd.read_csv(HERE / "support_items.csv", dtype=object)
    rows = items.iloc[rng.integers(0, len(items), size)].reset_index(drop=True)
    is_french = pd.Series(rng.random(size) < 0.5)
    rows["support_text"] = rows["text_fr"].where(is_french, rows["text_en"])
    persons = rows["persons"].astype(float)
    women = (persons * rng.uniform(0.1, 0.6, size)).where(rng.random(size) < 0.7)
    rows["capacity_persons"], rows["capacity_women"] = _whole(persons), _whole(women)
    rows["capacity_units"] = _whole(rows["units"].astype(float))
    rows["estimated_value_usd"] = rows["value_usd"].astype(float)
    party = chosen([tuple(one) for one in parties])
    for at, column in enumerate(("party_kind", "party_country", "mission_code")):
        rows[column] = party.str[at]
    rows["country"] = rows["mission_code"].map(HOMES).fillna(chosen(COUNTRIES))
    at_home = rows["party_kind"] == "host_state"
    rows["country"] = rows["country"].mask(at_home, rows["party_country"])
    rows["place_text"] = rows["country"].map(PLACES)
    rows["language_code"] = is_french.map({True: "fra", False: "eng"})
    rows["second_language_code"] = chosen(("swa", "lin", "sag", "ara", None, None))
    declared = pd.Series(rng.choice(pd.date_range(FIRST_DAY, LAST_DAY), size))
    rows["declared_on"] = declared
    rows["available_from"] = declared + pd.Timedelta(days=45)
    rows["available_until"] = pd.Timestamp(LAST_DAY_OF_ALL)
    rows["condition_kind"] = chosen(("none", "travel_by_recipient", "costs_shared", None))
    rows["condition_text"] = chosen(("Nomination six weeks before", "Examen des dossiers", None))
    rows["support_state"] = chosen(STATES)
    is_open = rows["support_state"] == "open"
    rows["state_on"] = pd.Series(pd.Timestamp(CLOSED_ON), rows.index).mask(is_open)
    rows["handling"] = chosen(HANDLING)
    priorities = ("urgent", "high", "normal", "normal", "low")
    return rows.assign(need_priority=[priorities[at * 7 % 5] for at in rows.index])


def _whole(numbers: pd.Series) -> pd.Series:
    """Whole numbers, None where there is none."""
    whole = numbers.round().astype("Int64").astype(object)
    return whole.where(whole.notna(), None)

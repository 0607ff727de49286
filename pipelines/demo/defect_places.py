"""Ways in which the place of an incident report can be wrong.

Not here: what else can be wrong (`defects.py`, `defect_times.py`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.demo.delivery import Defect, Draft, Spoil, cell

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.incidents import IncidentFeed


def place_defects(feed: IncidentFeed) -> list[Defect]:
    """Positions outside; needs a feed that sends positions."""
    import pandas as pd

    if not feed.position_cells(pd.Series([1.0]), pd.Series([20.0])):
        return []
    return [
        Defect(("INC-405",), exchange_coordinates(feed), has_position),
        Defect(("INC-406",), _into_the_area_farthest_away(feed), has_position),
    ]


def has_position(draft: Draft) -> pd.Series:
    """True for the rows with a position that will be published."""
    return draft.truth["latitude_deg"].notna() & ~draft.truth["is_sensitive"]


def put_position(feed: Any, draft: Draft, rows: Any, latitude_deg: Any, longitude_deg: Any) -> None:
    """Write positions as the feed writes them (its `position_cells`), and expect them."""
    import pandas as pd

    north = pd.Series(latitude_deg, index=rows, dtype="float64")
    east = pd.Series(longitude_deg, index=rows, dtype="float64")
    for column, values in feed.position_cells(north, east).items():
        draft.cells.loc[rows, column] = values
    draft.expect(rows, latitude_deg=north, longitude_deg=east)


def exchange_coordinates(feed: Any) -> Spoil:
    """Latitude and longitude in each other's place, which lies outside all three countries."""

    def change(draft: Draft, rows: Any) -> None:
        truth = draft.truth.loc[rows].copy()
        put_position(feed, draft, rows, truth["longitude_deg"], truth["latitude_deg"])

    return change


def _into_the_area_farthest_away(feed: IncidentFeed) -> Spoil:
    """The settlement of the same country that is farthest from the row's own area."""

    def change(draft: Draft, rows: Any) -> None:
        far = draft.truth.loc[rows, "admin1_code"].map(farthest_places())
        put_position(feed, draft, rows, far.str[0].astype(float), far.str[1].astype(float))

    return change


@cache
def farthest_places() -> dict[str, tuple[float, float]]:
    """For each first-level area, the demo's settlement farthest from it in its country."""
    import pandas as pd

    from pipelines.demo.world import HERE

    places = pd.read_csv(HERE / "settlements.csv")
    columns = ["country", "latitude_deg", "longitude_deg"]
    own = places.groupby("admin1_code", as_index=False)[columns].first()
    pairs = own.merge(places, on="country", suffixes=("", "_far"))
    north = pairs["latitude_deg_far"] - pairs["latitude_deg"]
    east = pairs["longitude_deg_far"] - pairs["longitude_deg"]
    pairs["distance"] = north**2 + east**2
    best = pairs.loc[pairs.groupby("admin1_code")["distance"].idxmax()]
    positions = zip(best["latitude_deg_far"], best["longitude_deg_far"], strict=True)
    return dict(zip(best["admin1_code"], positions, strict=True))


def decimal_position_defects(feed: IncidentFeed, latitude: str, longitude: str) -> list[Defect]:
    """Defects of positions in two columns of decimal degrees; the globe's ends and its middle."""

    def at(north_deg: float, east_deg: float) -> Spoil:
        return lambda draft, rows: put_position(feed, draft, rows, north_deg, east_deg)

    return [
        Defect(("INC-205",), cell(latitude, ["nord", "12°"]), has_position),
        Defect(("INC-206",), cell(longitude, ["est", "?"]), has_position),
        Defect(("INC-504",), cell(longitude, None), has_position),
        Defect(("INC-402",), at(97.25, 18.5), has_position),
        Defect(("INC-403",), at(2.5, 218.5), has_position),
        Defect(("INC-404",), at(0.0, 0.0), has_position),
    ]

"""Police that countries deploy to missions, as headquarters counts them; all invented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.demo.world import FIRST_DAY, LAST_DAY, World

if TYPE_CHECKING:
    import pandas as pd

    from schemas.feed import Feed

MISSIONS = ("MINUSCA", "MONUSCO", "UNMISS")
COUNTRIES = ("RWA", "SEN", "BGD", "EGY", "TGO", "BEN", "GHA", "JOR", "NPL", "CIV")
# By function: how many countries contribute to a mission so, and the least and most persons.
STRENGTH = {
    "individual_police_officer": (8, {"female": (1, 12), "male": (4, 30)}),
    "formed_police_unit": (3, {"female": (14, 36), "male": (104, 150)}),
    "specialized_police_team": (1, {"female": (1, 5), "male": (3, 9)}),
    "justice_corrections": (2, {"female": (1, 6), "male": (2, 12)}),
}
WITH_TOTALS = "justice_corrections"  # whose numbers come by sex and in total


def compose(world: World, feed: Feed) -> pd.DataFrame:
    """Strength by month, mission, function, country and sex: as many rows at any scale."""
    import pandas as pd

    rng = world.rng(f"{feed.feed} strength")
    months = pd.date_range(FIRST_DAY, LAST_DAY, freq="MS")
    rows = []
    for month in months:
        for at, mission in enumerate(MISSIONS):
            for function, (countries, spans) in STRENGTH.items():
                for number in range(countries):
                    country = COUNTRIES[(3 * at + number) % len(COUNTRIES)]
                    told = {s: int(rng.integers(*span)) for s, span in spans.items()}
                    if function == WITH_TOTALS:
                        told["total"] = sum(told.values())
                    rows += [
                        (mission, country, function, month, sex, persons)
                        for sex, persons in told.items()
                    ]
    kinds = ["mission_code", "contributing_country", "police_function", "reporting_month"]
    found = pd.DataFrame(rows, columns=[*kinds, "sex", "personnel_count"])
    # A fault in one of three rows would make the total wrong too.
    return found.assign(is_alone=found["police_function"] != WITH_TOTALS)

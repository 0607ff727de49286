"""What countries contribute to missions, as headquarters tells it: persons deployed.

Not here: how a register is sent and spoiled (`register.py`). All numbers are invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.delivery import Defect, Draft, cell
from pipelines.demo.register import Register
from pipelines.demo.world import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.world import World

DEPLOYMENTS_AT_SCALE_1 = 540
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


class Deployments(Register):
    """Strength at the end of each month, by sex, and here and there in total."""

    feed = "dpo_police_deployments"
    coded = ("mission_code",)
    file_names: ClassVar[tuple[str, str]] = (
        "police_deployments_2026-10.csv",
        "police_deployments_revised_2026-11.csv",
    )

    def compose(self, world: World) -> pd.DataFrame:
        """By month, mission, function and country."""
        import pandas as pd

        rng = world.rng(f"{self.feed} strength")
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
        found = found[: world.count(DEPLOYMENTS_AT_SCALE_1)]
        numbers = pd.Series(found.index + 1, index=found.index).astype(str).str.zfill(6)
        # A mistake in one of three rows would make the total wrong too: see `own_defects`.
        is_summed = found["police_function"] == WITH_TOTALS
        return found.assign(
            source_record_id="PD-" + numbers,
            is_kept_right=is_summed & (found["sex"] != "total"),
        )

    def correct(self, records: pd.DataFrame) -> pd.DataFrame:
        """One person more, counted late."""
        return records.assign(personnel_count=records["personnel_count"] + 1)

    def own_defects(self) -> list[Defect]:
        """Totals that differ, months that cannot be, numbers that are too many or too few."""
        import pandas as pd

        month, put = self.source("reporting_month"), self.put
        long_ago, before, someday = (pd.Timestamp(day) for day in ("1986-05", "2012-05", "2055-05"))

        def is_total(draft: Draft) -> Any:
            return draft.truth["sex"] == "total"

        def is_old(draft: Draft) -> Any:
            return ~is_total(draft) & draft.truth["mission_code"].isin(["MONUSCO", "UNMISS"])

        def is_alone(draft: Draft) -> Any:
            return ~is_total(draft)

        return [
            Defect(("DEP-602",), put("personnel_count", 2), is_total),
            Defect(("DEP-410",), put("personnel_count", -3), is_alone),
            Defect(("DEP-411",), put("personnel_count", 2400), is_alone),
            Defect(("DEP-412", "DEP-512"), put("reporting_month", long_ago), is_alone),
            Defect(("DEP-413",), put("reporting_month", before), is_old),
            Defect(("DEP-510",), put("reporting_month", someday), is_alone),
            Defect(("DEP-511",), cell(month, "2026-05-15"), is_alone),
            Defect(("DEP-512",), put("mission_code", "MINUSMA"), is_alone),
            Defect(("DEP-603",), self.told_twice, is_alone, together=2),
        ]

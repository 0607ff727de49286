"""What countries contribute to missions, as headquarters tells it: persons, and pledges.

Not here: how a register is sent and spoiled (`register.py`). All numbers are invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.demo.border_defects import change, is_
from pipelines.demo.delivery import Defect, Draft, cell
from pipelines.demo.register import Register
from pipelines.demo.world import FIRST_DAY, LAST_DAY

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.world import World

MISSIONS = ("MINUSCA", "MONUSCO", "UNMISS")
COUNTRIES = ("RWA", "SEN", "BGD", "EGY", "TGO", "BEN", "GHA", "JOR", "NPL", "CIV")
# By function: how many countries contribute to a mission so, and the least and most persons.
STRENGTH = {
    "individual_police_officer": (8, {"female": (1, 12), "male": (4, 30)}),
    "formed_police_unit": (3, {"female": (14, 36), "male": (104, 150)}),
    "specialized_police_team": (1, {"female": (1, 5), "male": (3, 9)}),
    "justice_corrections": (2, {"female": (1, 6), "male": (2, 12)}),
}
PLEDGES_AT_SCALE_1 = 300
PLEDGED_AT = {
    "uncops_2024": "2024-06-26",
    "ministerial_2023": "2023-12-05",
    "ministerial_2025": "2025-05-13",
    "note_verbale": "2025-02-17",
}
KINDS = (
    *("formed_police_unit", "canine_unit", "specialized_police_team", "team_forensics"),
    *("individual_police_officers", "support_without_unit"),
)
STATES = ("pledged", "under_assessment", "registered", "selected", "deployed", "expired")
LEVELS = ("level_1", "level_2", "level_3", "rapid_deployment")
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
        """By month, mission, function and country: as many at any scale."""
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


class CapabilityPledges(Register):
    """Pledges and where they stand; a correction tells of another state."""

    feed = "dpo_capability_pledges"
    coded = ("mission_code",)
    file_names: ClassVar[tuple[str, str]] = (
        "capability_pledges_2026-10-31.json",
        "capability_pledges_2026-11-15.json",
    )

    def compose(self, world: World) -> pd.DataFrame:
        """Country by country, each pledge for another first day."""
        import numpy as np
        import pandas as pd

        rng = world.rng(f"{self.feed} pledges")
        size = world.count(PLEDGES_AT_SCALE_1)
        at = pd.Series(range(size))
        found = pd.DataFrame({"source_record_id": "PCP-" + (at + 1).astype(str).str.zfill(5)})
        found["contributing_country"] = [COUNTRIES[one % len(COUNTRIES)] for one in at]
        chosen = rng.integers(0, len(PLEDGED_AT), size)
        found["pledge_event"] = [list(PLEDGED_AT)[one] for one in chosen]
        found["declared_on"] = pd.to_datetime(found["pledge_event"].map(PLEDGED_AT))
        found["capability_kind"] = [KINDS[one] for one in rng.integers(0, len(KINDS), size)]
        is_support = found["capability_kind"] == "support_without_unit"
        units = pd.Series(rng.integers(1, 4, size)).astype("Int64")
        found["units_count"] = units.mask(is_support).astype(object)
        found["pledge_state"] = [STATES[one] for one in rng.integers(0, len(STATES), size)]
        is_ready = found["pledge_state"].isin(["registered", "selected"])
        level = pd.Series([LEVELS[one] for one in rng.integers(0, len(LEVELS), size)])
        found["readiness_level"] = level.where(is_ready, None)
        found["is_rapidly_deployable"] = found["readiness_level"] == "rapid_deployment"
        found["language_code"] = np.where(at % 2 == 0, "fra", "eng")
        found["second_language_code"] = np.where(at % 3 == 0, "ara", "spa")
        found["available_from"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(at, unit="D")
        found["available_until"] = found["available_from"] + pd.Timedelta(days=730)
        found["medical_level"] = np.where(at % 4 == 0, "level_1", "none")
        found["has_technology"] = is_support | (at % 3 == 0)
        found["has_environment"] = at % 5 == 0
        found["has_training"] = is_support | (at % 7 == 0)
        found["state_on"] = found["declared_on"] + pd.to_timedelta(rng.integers(30, 300, size), "D")
        mission = pd.Series([MISSIONS[one % len(MISSIONS)] for one in at])
        found["mission_code"] = mission.where(found["pledge_state"] == "deployed", None)
        return found

    def correct(self, records: pd.DataFrame) -> pd.DataFrame:
        """The country withdraws what it had pledged."""
        import pandas as pd

        return records.assign(pledge_state="withdrawn", state_on=pd.Timestamp("2026-11-10"))

    def own_defects(self) -> list[Defect]:
        """Days that contradict each other, numbers that cannot be, cells that disagree."""
        import pandas as pd

        put, early, someday = self.put, pd.Timestamp("2016-01-05"), pd.Timestamp("2055-05-01")

        units = is_("capability_kind", *KINDS[:-1])
        no_content = change(
            *(put(one, False) for one in ("has_technology", "has_environment", "has_training")),
            put("medical_level", "none"),
        )
        return [
            Defect(("PLE-410",), put("units_count", -1), units),
            Defect(("PLE-411",), put("units_count", 400), units),
            Defect(
                ("PLE-412",),
                put("declared_on", pd.Timestamp("1986-05-01")),
                is_("pledge_event", "note_verbale"),
            ),
            Defect(("PLE-510", "PLE-512"), put("declared_on", someday)),
            Defect(("PLE-511",), put("state_on", someday)),
            Defect(("PLE-512",), put("state_on", early)),
            Defect(("PLE-513",), put("available_until", early)),
            Defect(
                ("PLE-514",),
                put("is_rapidly_deployable", False),
                is_("readiness_level", "rapid_deployment"),
            ),
            Defect(("PLE-515",), no_content, is_("capability_kind", KINDS[-1])),
            Defect(("PLE-516",), put("declared_on", early), is_("pledge_event", "uncops_2024")),
            Defect(("PLE-603",), self.told_twice, together=2),
        ]

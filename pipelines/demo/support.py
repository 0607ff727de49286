"""What the Light Coordination Mechanism lists in the demo: support that is offered and needed.

Not here: how a register is sent and spoiled (`register.py`). What is listed is in
`support_items.csv`; all of it is invented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from zlib import crc32

from pipelines.demo.delivery import Defect, Draft
from pipelines.demo.register import Register
from pipelines.demo.world import FIRST_DAY, HERE, LAST_DAY
from schemas.codelist import load_codelist

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.world import World

ROWS_AT_SCALE_1, FEWEST_ROWS = 260, 160  # at any scale enough for every mistake
CLOSED_ON, LAST_DAY_OF_ALL = "2026-11-02", "2027-06-30"
COUNTRIES = ("CAF", "COD", "SSD", None)
HOMES = {"MINUSCA": "CAF", "MONUSCO": "COD", "UNMISS": "SSD"}
PLACES = {"CAF": "Bangui", "COD": "Goma", "SSD": "Juba"}
STATES = ("open", "open", "open", "matched", "closed", "withdrawn")
HANDLING = ("UNCLASSIFIED", "UNCLASSIFIED", "UNCLASSIFIED", "CONFIDENTIAL")
Party = tuple[str, str | None, str | None]  # kind, country, mission
IS_TRAINING = "support_kind.str.contains('training|capacity')"
# By rule: what is written, into rows of which this holds.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "153": ({"party_country": None}, "party_kind.isin(['police_contributor', 'host_state'])"),
    "154": ({"mission_code": None}, "party_kind == 'un_mission'"),
    "157": ({"state_on": None}, "support_state != 'open'"),
    "158": ({"capacity_persons": None}, "capacity_units.isna() & estimated_value_usd.isna()"),
    "159": ({"language_code": None}, IS_TRAINING),
    "450": ({"capacity_persons": -4, "capacity_women": None}, IS_TRAINING),
    "451": ({"capacity_women": -4}, IS_TRAINING),
    "452": ({"capacity_units": -4}, "support_kind == 'equipment'"),
    "453": ({"estimated_value_usd": -500.0}, ""),
    "454": ({"capacity_persons": 6000}, IS_TRAINING),
    "455": ({"capacity_units": 24000}, "support_kind == 'equipment'"),
    "456": ({"estimated_value_usd": 65e6}, ""),
    "457": ({"declared_on": "2009-05-04"}, ""),
    "550": ({"declared_on": "2055-05-04"}, "support_state == 'open'"),
    "551": ({"state_on": "2055-05-04"}, "support_state != 'open'"),
    "552": ({"capacity_women": 900}, IS_TRAINING),
    "553": ({"available_until": "2020-05-04"}, "support_state != 'open'"),
    "554": ({"state_on": "2020-05-04"}, "support_state != 'open'"),
    "555": ({"support_topic": "vehicles"}, IS_TRAINING),
    "556": (
        {"available_from": "2026-07-01", "available_until": "2026-08-31"},
        "support_state == 'open'",
    ),
}


class Support(Register):
    """A list of the mechanism: words in two languages, a placeholder where a contact is named."""

    parties: ClassVar[tuple[Party, ...]]
    number: ClassVar[str]
    wrong = WRONG
    coded = ("mission_code",)

    def compose(self, world: World) -> pd.DataFrame:
        """By number; what, who, where and when follow from chance, and nothing open has ended."""
        import pandas as pd

        rng = world.rng(f"{self.feed} list")
        size = max(FEWEST_ROWS, world.count(ROWS_AT_SCALE_1))

        def chosen(values: Any) -> pd.Series:
            return pd.Series(
                [values[at] for at in rng.integers(0, len(values), size)], dtype=object
            )

        items = pd.read_csv(HERE / "support_items.csv", dtype=object)
        rows = items.iloc[rng.integers(0, len(items), size)].reset_index(drop=True)
        is_french = pd.Series(rng.random(size) < 0.5)
        rows["support_text"] = rows["text_fr"].where(is_french, rows["text_en"])
        persons = rows["persons"].astype(float)
        women = (persons * rng.uniform(0.1, 0.6, size)).where(rng.random(size) < 0.7)
        rows["capacity_persons"], rows["capacity_women"] = _whole(persons), _whole(women)
        rows["capacity_units"] = _whole(rows["units"].astype(float))
        rows["estimated_value_usd"] = rows["value_usd"].astype(float)
        party = chosen(self.parties)
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
        rows["condition_text"] = chosen(
            ("Nomination six weeks before", "Examen des dossiers", None)
        )
        rows["support_state"] = chosen(STATES)
        is_open = rows["support_state"] == "open"
        rows["state_on"] = pd.Series(pd.Timestamp(CLOSED_ON), rows.index).mask(is_open)
        rows["handling"] = chosen(HANDLING)
        numbers = pd.Series(range(1, size + 1)).astype(str).str.zfill(4)
        return rows.assign(source_record_id=f"{self.number}-2026-" + numbers)

    def correct(self, records: pd.DataFrame) -> pd.DataFrame:
        """Matched since the list was sent."""
        import pandas as pd

        return records.assign(support_state="matched", state_on=pd.Timestamp(CLOSED_ON))

    def text(self, column: str, value: Any) -> str | None:
        """Some words of a list in French, the others in English."""
        written, said = super().text(column, value), self.contract.column(column)
        if written and said.codelist and not self.declared.map[column].crosswalk:
            labels = {row["code"]: row["label_fr"] for row in load_codelist(said.codelist)}
            return labels[value] if crc32(written.encode()) % 2 else written
        return written

    def own_defects(self) -> list[Defect]:
        """Cells that contradict others, numbers and days that cannot be."""
        letters = self.contract.codes
        return [
            Defect((f"{letters}-651",), self.told_twice, together=2),
            *(
                Defect((f"{letters}-{rule}",), self._writing(values), self._where(condition))
                for rule, (values, condition) in self.wrong.items()
            ),
        ]

    def _writing(self, values: dict[str, Any]) -> Any:
        import pandas as pd

        def change(draft: Draft, rows: Any) -> None:
            for column, value in values.items():
                is_day = self.contract.column(column).duckdb_type == "DATE" and value
                self.put(column, pd.Timestamp(value) if is_day else value)(draft, rows)

        return change

    def _where(self, condition: str) -> Any:
        return (lambda draft: draft.truth.eval(condition, engine="python")) if condition else None

    def _draft(self, records: pd.DataFrame) -> Draft:
        draft = super()._draft(records)
        for column in self.declared.ignore:
            draft.cells[column] = "FOCAL POINT " + (draft.cells.index % 23 + 1).astype(str)
        return draft


def _whole(numbers: pd.Series) -> pd.Series:
    """Whole numbers, None where there is none."""
    whole = numbers.round().astype("Int64").astype(object)
    return whole.where(whole.notna(), None)


class SupportOffers(Support):
    """What is offered."""

    feed = "lcm_support_offers"
    number = "LCM-O"
    file_names: ClassVar[tuple[str, str]] = (
        "lcm_offers_2026-10.csv",
        "lcm_offers_amended_2026-11.csv",
    )
    parties: ClassVar[tuple[Party, ...]] = (
        ("police_contributor", "RWA", None),
        ("police_contributor", "SEN", None),
        ("member_state", "DEU", None),
        ("member_state", "JPN", None),
        ("training_institution", "GHA", None),
        ("regional_organisation", None, None),
        ("un_headquarters", None, None),
        ("un_mission", None, "MINUSCA"),
    )


class SupportNeeds(Support):
    """What is needed."""

    feed = "lcm_support_needs"
    number = "LCM-N"
    file_names: ClassVar[tuple[str, str]] = (
        "lcm_needs_2026-10.json",
        "lcm_needs_amended_2026-11.json",
    )
    parties: ClassVar[tuple[Party, ...]] = (
        ("police_contributor", "BGD", None),
        ("police_contributor", "TGO", None),
        ("host_state", "CAF", None),
        ("host_state", "COD", None),
        ("host_state", "SSD", None),
        ("un_mission", None, "MINUSCA"),
        ("un_mission", None, "MONUSCO"),
        ("un_mission", None, "UNMISS"),
    )
    wrong = WRONG | {"510": ({"country": "UGA"}, "party_kind == 'host_state'")}

    def compose(self, world: World) -> pd.DataFrame:
        """With a priority each."""
        rows = super().compose(world)
        priorities = ("urgent", "high", "normal", "normal", "low")
        return rows.assign(need_priority=[priorities[at * 7 % 5] for at in rows.index])

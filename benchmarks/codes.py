"""What every competitor looks up, so that none of them does it worse than it must.

Not here: our own look-ups (`pipelines/harmonise`), whose tables of words these are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import duckdb
import pyarrow as pa

import schemas.feed
from benchmarks.work import DELIVERY_ID, FEED, FEEDS, RECEIVED_AT, Work
from pipelines.core.duck import LOOKUP_KEY_MACRO
from pipelines.core.settings import Settings, settings_for
from pipelines.harmonise.geofence import Fence, fence
from pipelines.harmonise.lookups import load_lists, make_words
from pipelines.harmonise.timezones import zone_offsets
from schemas.contract import Contract, load_contract
from schemas.feed import Feed, load_feed

BLANK = ("-", "néant", "NÉANT", "Néant")
COUNTS = {
    "victims_total": "Victimes", "victims_female": "Femmes", "victims_male": "Hommes",
    "killed_total": "Tués", "injured_total": "Blessés", "suspects_total": "Suspects",
    "arrested_total": "Arrêtés",
}  # fmt: skip
COORDINATES = {"latitude_deg": "Latitude", "longitude_deg": "Longitude"}
CODED = {"country": "Pays", "admin1_code": "Préfecture", "offence_code": "Nature"}
# Columns that have a text of their own where they could not be read.
READ = (*CODED, *COORDINATES, "occurred_at", "reported_at", *COUNTS)
HIDDEN = ("place_text", *COORDINATES)  # in rows about sexual offences
FIRST_ROW = 2  # of the file, below the headings
RECEIVED = RECEIVED_AT.replace(tzinfo=None)
RECEIVED_DAY = RECEIVED.replace(hour=0, minute=0, second=0, microsecond=0)
FEED_STARTS = RECEIVED_DAY.replace(year=RECEIVED.year - 5)
DAYS = {"occurred_at": "occurred_on", "reported_at": "reported_on"}  # of each moment
CONSTANTS = {
    "source": "caf_gendarmerie", "delivery_id": DELIVERY_ID, "received_at": RECEIVED,
    "is_withdrawn": False,
}  # fmt: skip


@dataclass
class Codes:
    """Code lists, areas, geofence and offsets; made once, before the clock starts."""

    settings: Settings
    feed: Feed
    contract: Contract = field(default_factory=lambda: load_contract("incidents"))

    def __post_init__(self) -> None:
        self._lists = duckdb.connect()
        self._lists.execute(LOOKUP_KEY_MACRO)
        load_lists(self._lists, self.settings, {"admin_areas", "countries", "offences"})

    def table(self, sql: str) -> pa.Table:
        """A query over `list_admin_areas`, `list_countries`, `list_offences`."""
        return self._lists.execute(sql).to_arrow_table()

    @cached_property
    def fence(self) -> Fence:
        return fence(self.settings)

    @cached_property
    def areas(self) -> pa.Table:
        """code, its country, period and time zone."""
        return self.table(
            "SELECT code, country AS admin1_country, valid_from::DATE AS admin1_valid_from, "
            "valid_to::DATE AS admin1_valid_to, nullif(time_zone, '') AS area_time_zone "
            "FROM list_admin_areas WHERE level::INTEGER = 1"
        )

    @cached_property
    def countries(self) -> pa.Table:
        return self.table(
            "SELECT code, nullif(time_zone, '') AS land_time_zone FROM list_countries"
        )

    @cached_property
    def sexual(self) -> list[str]:
        """The codes of sexual offences."""
        return self.table("SELECT code FROM list_offences WHERE is_sexual = 'true'")[
            "code"
        ].to_pylist()

    @cached_property
    def offsets(self) -> pa.Table:
        zones = {*self.areas["area_time_zone"].to_pylist()}
        zones |= {*self.countries["land_time_zone"].to_pylist(), "UTC"}
        return zone_offsets(zone for zone in zones if zone)

    def words(self, target: str, texts: pa.Table) -> pa.Table:
        """The codes of the distinct `texts(raw)`: raw, code; of areas scope, valid_from, valid_to.

        A name that two areas bore at different dates has a row for each period.
        """
        self._lists.register("text_rows", texts)
        column = self.contract.column(target)
        self._lists.execute(f"DROP TABLE IF EXISTS words_{target}")
        make_words(self._lists, self.settings, self.feed, column, "raw")
        self._lists.unregister("text_rows")
        if target != "admin1_code":
            return self.table(f"FROM words_{target}")
        # Not all libraries know a day at infinity.
        return self.table(
            "SELECT * REPLACE (greatest(valid_from, DATE '1700-01-01') AS valid_from, "
            f"least(valid_to, DATE '9999-12-31') AS valid_to) FROM words_{target}"
        )

    def empty_columns(self, filled: set[str]) -> dict[str, str]:
        """Published columns that the feed does not have, with their types."""
        return {
            column.name: column.duckdb_type
            for column in self.contract.published
            if column.name not in filled and column.filled_by != "lake"
        }


def load_codes(work: Work) -> Codes:
    """The lists for the feed of the benchmark."""
    schemas.feed.FEEDS_FOLDER = FEEDS
    codes = Codes(settings_for(work.home), load_feed(FEED))
    for _ in (codes.fence, codes.areas, codes.countries, codes.sexual, codes.offsets):
        pass
    return codes

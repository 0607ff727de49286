"""The moments of a row as SQL: UTC by place and date, the local day beside it, and how exact it is.

Not here: reading the text of a date (`expressions.py`), and the other steps of the query.

A moment is filled only where a time was given; the day beside it always. Which column holds the
day of which moment, and its precision, is what the contract says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipelines.harmonise import expressions as ex
from pipelines.harmonise.joins import attribute_join
from schemas.codelist import load_codelist
from schemas.contract import Contract
from schemas.feed import Feed
from schemas.sqltext import literal, name

MOMENT = "TIMESTAMP"
NEVER = "TIMESTAMP '9999-01-01'"
_HOURLY = "('minute', 'hour')"  # the precisions at which a moment is known, beside its day

Columns = dict[str, str]
Joins = tuple[str, ...]


@dataclass(frozen=True)
class Moments:
    """What a feed says of moments, compiled to columns and joins of the steps that need them."""

    feed: Feed
    contract: Contract

    @cached_property
    def read(self) -> list[str]:
        """The moments that the feed takes from its source."""
        kinds = {column.name: column.duckdb_type for column in self.contract.columns}
        return [t for t, mapping in self.feed.map.items() if mapping.source and kinds[t] == MOMENT]

    @property
    def event(self) -> str:
        """The moment that the area, the zone and the age of a row are judged at; empty for none."""
        moment = self.contract.roles.event_time
        return moment if moment and moment in self.read else ""

    @property
    def filled(self) -> set[str]:
        """The columns beside the moments themselves that these steps fill: days, precisions."""
        days = [self.contract.days[one] for one in self.read if one in self.contract.days]
        told = self._by_precision()
        precisions = {day.precision for day in days if told.get(day.precision) == day.day_of}
        return {day.name for day in days} | precisions

    @property
    def named_zone(self) -> str:
        """The zone that the feed names for the event; empty where the place decides."""
        return ex.named_zone(self.feed.map[self.event]) if self.event else ""

    def stated(self, target: str) -> str:
        """Where the coded value of a column goes; a precision is told together with the format."""
        return f"{target}__stated" if target in self._by_precision() else target

    def _by_precision(self) -> dict[str, str]:
        """By each precision, the moment whose text tells it: the first of those that it is of."""
        days = [day for day in self.contract.days.values() if day.precision]
        return {day.precision: day.day_of for day in reversed(days)}

    def event_date(self, country: str) -> tuple[Columns, Joins]:
        """The local date of the event before its area is known: by the clocks of the country."""
        event = self.event
        if not event:
            told = self.contract.roles.event_time  # a day alone has no clocks
            day = f"{name(told)}, " if told and told in self.feed.map else ""
            return {"event_date": f"coalesce({day}{NEVER})::DATE"}, ()
        found: list[str] = [f"{event}__wall"]
        joins: Joins = ()
        if self._has_instants(event):
            home = attribute_join("home", "countries", country, "time_zone")
            joins = (home, _clock_join("clock", "home_time_zone", f"{event}__instant"))
            found.append(f"{event}__instant + to_minutes(clock.offset_minutes)")
            found.append(self._written(event))
        return {"event_date": f"coalesce({', '.join([*found, NEVER])})::DATE"}, joins

    def utc(self) -> tuple[Columns, Joins]:
        """Each moment in UTC and by the clocks at the place."""
        columns: Columns = {}
        joins: list[str] = []
        for target in self.read:
            zone = ex.named_zone(self.feed.map[target])
            zone_sql = literal(zone) if zone else "place_zone"
            alias, wall = f"o_{target}", name(f"{target}__wall")
            joins.append(
                f"LEFT JOIN zone_offsets {alias} ON {alias}.zone = coalesce({zone_sql}, 'UTC')"
                f" AND {wall} >= {alias}.wall_from AND {wall} < {alias}.wall_to"
            )
            instant = name(f"{target}__instant")
            columns[f"{target}__utc"] = (
                f"coalesce({instant}, {wall} - to_minutes({alias}.offset_minutes))"
            )
            columns[f"{target}__local"] = wall
            if self._has_instants(target):
                joins.append(_clock_join(f"i_{target}", zone_sql, instant))
                columns[f"{target}__local"] = self._local(target, zone)
        return columns, tuple(joins)

    def precisions(self) -> Columns:
        """How exactly each moment is known: by its format, and coarser where the source says so."""
        columns = {}
        told = {moment: precision for precision, moment in self._by_precision().items()}
        for target in self.read:
            offsets, local = ex.formats_of(self.feed, self.feed.map[target])
            known = ex.precision_of(offsets + local, name(f"{target}__text"))
            columns[f"{target}__known"] = known
            if target in told:
                columns[told[target]] = self._coarser(target, known, told[target])
        return columns

    def shown(self) -> Columns:
        """Each moment where a time was given, and its local day."""
        columns = {}
        for target in self.read:
            utc, day = name(f"{target}__utc"), self.contract.days.get(target)
            if day is None:
                columns[target] = utc
                continue
            conditions = [f"{name(f'{target}__known')} IN {_HOURLY}"]
            if day.precision in self.filled:
                conditions.append(f"coalesce({name(day.precision)} IN {_HOURLY}, TRUE)")
            columns[target] = f"CASE WHEN {' AND '.join(conditions)} THEN {utc} END"
            columns[day.name] = f"{name(f'{target}__local')}::DATE"
        return columns

    def _local(self, target: str, zone: str) -> str:
        """By the clocks of the area; where none is known by the offset that was written beside it.

        An offset of nothing tells no place: then by the clocks of the country.
        """
        instant = name(f"{target}__instant")
        moved = f"{instant} + to_minutes(i_{target}.offset_minutes)"
        written = self._written(target)
        if not zone:
            tells_place = f"area_zone IS NULL AND {written} <> {instant}"
            moved = f"CASE WHEN {tells_place} THEN {written} ELSE {moved} END"
        return f"coalesce({name(f'{target}__wall')}, {moved}, {written})"

    def _coarser(self, target: str, known: str, precision: str) -> str:
        if precision in self.feed.map:
            order = literal([row["code"] for row in load_codelist("time_precisions")])
            stated = name(self.stated(precision))
            known = (
                f"{order}[greatest(list_position({order}, {known}), "
                f"coalesce(list_position({order}, {stated}), 0))]"
            )
        return f"CASE WHEN {name(f'{target}__local')} IS NOT NULL THEN {known} END"

    def _has_instants(self, target: str) -> bool:
        return ex.may_have_offset(*ex.formats_of(self.feed, self.feed.map[target]))

    def _written(self, target: str) -> str:
        """The wall-clock time beside the offset that a text carries."""
        formats = ex.formats_of(self.feed, self.feed.map[target])
        written = ex.written_of(*formats, name(f"{target}__text"))
        return f"CASE WHEN {name(f'{target}__instant')} IS NOT NULL THEN {written} END"


def _clock_join(alias: str, zone_sql: str, instant: str) -> str:
    """A join to the offset of the clocks of a zone at an instant."""
    return (
        f"LEFT JOIN zone_offsets {alias} ON {alias}.zone = {zone_sql}"
        f" AND {instant} >= {alias}.utc_from AND {instant} < {alias}.utc_to"
    )

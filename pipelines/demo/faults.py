"""How a record breaks a rule: from the rules of the table's contract, one fault a rule.

A template of rules tells how it is broken: what is required is left out, what has a limit is put
beyond it, a code becomes a word that no list has. `faults.yaml` tells it for the rules that a table
states in its own terms, in the same terms: SQL over the columns of a record. Only the record
changes; the cells and the truth follow from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from schemas.record import WITHDRAWAL

if TYPE_CHECKING:
    from pipelines.demo.cells import CellWriter
    from pipelines.demo.profile import Profile
    from schemas.table import Rule

FAULTS = Path(__file__).parent / "faults.yaml"
SHARE_PER_RULE = 0.01
WEAK_POST_TIMES = 8.0  # as many faults as elsewhere, row for row

NO_WORDS = ["QQ-77", "Zone blanche", "§ 12"]
NO_VALUES = {  # texts that yield no value, by the type of the column
    "TIMESTAMP": ["31/02/2026", "2026-13-40", "hier soir"],
    "DATE": ["31/02/2026", "2026-13-40", "demain"],
    "BOOLEAN": ["?", "à voir"],
    "VARCHAR": ["illisible", "voir croquis"],
}
NO_NUMBERS = ["trois", "12?", "env. 4"]
# A record's number that is all signs, too long, or rounded by a workbook; no two are the same.
Texts = Sequence[str | None] | Callable[[int], str]  # used in turn, or one for each row
WRONG_NUMBERS: dict[str, Callable[[int], str]] = {
    "well_formed": lambda at: "-" * (at + 3),
    "length": lambda at: "x" * (at + 121),
    "not_rounded": lambda at: f"2.02{at + 600}E+17",
}


@dataclass(frozen=True)
class Fault:
    """One way in which records break a rule, and all the rules that they then break.

    `where` is SQL of the records that can be wrong so. `values` are SQL by column, `texts` what
    stands in the first cell of a column instead (None: all its cells are empty), in turn. `copies`
    makes pairs: the second record has the `number` of the first, its `content` under another
    number, or some of its columns.
    """

    where: str = "TRUE"
    values: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, Texts] = field(default_factory=dict)
    copies: str = ""
    also: tuple[str, ...] = ()  # the other rules that are then broken
    is_of_sums: bool = False  # of records that others add up to
    share: float = SHARE_PER_RULE
    rule: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all the rules that are broken."""
        return tuple(sorted({self.rule, *self.also}))


class FaultList:
    """The faults that the records of one feed can have."""

    def __init__(self, writer: CellWriter, profile: Profile, received: dt.datetime) -> None:
        """Keep what is declared; `received` is when the first delivery arrives."""
        self.writer, self.contract, self.feed = writer, writer.contract, writer.feed
        self.profile, self.received = profile, received

    def of_every_rule(self) -> list[Fault]:
        """One fault or several for each rule that the feed can break."""
        found = [fault for rule in self.contract.rules for fault in self._of(rule)]
        return [fault for fault in found if self._is_expressible(fault)]

    def usual(self) -> list[Fault]:
        """Those of the profile, each with its share. Raises KeyError for a rule without one."""
        found = reversed(self.of_every_rule())
        alone = {fault.rule: fault for fault in found if not fault.also}
        percent = self.profile.faults.items()
        return [replace(alone[code], share=share / 100) for code, share in percent]

    def _is_expressible(self, fault: Fault) -> bool:
        """True where the file has cells for what is changed (of several columns, for the first)."""
        roles = self.contract.roles
        point = set(roles.point) if roles.position in self.writer.read else set()
        sheet = "sheet" if self.feed.file[0].with_sheet_column else ""
        cells = {c for c, one in self.writer.read.items() if sheet not in one.source} | point
        return set(fault.texts) <= cells - point and set(list(fault.values)[:1]) <= cells

    def _of(self, rule: Rule) -> Iterable[Fault]:
        own = own_faults().get(self.contract.table, {}).get(rule.code)
        told = own or own_faults()["every table"].get(rule.code.partition("-")[2])
        if told is not None:
            found: Iterable[Fault] = [_own(told)]
        else:
            make = getattr(self, f"_{rule.template}", None)
            found = make(rule, rule.column, dict(rule.parameters)) if make else []
        for fault in found:
            yield replace(fault, rule=rule.code, where=self._where_judged(fault))

    def _where_judged(self, fault: Fault) -> str:
        """The records that can be wrong so, without those of which the values are withheld."""
        said = [self.contract.column(c).withheld_when for c in fault.values]
        withheld = [f"NOT coalesce({one}, FALSE)" for one in dict.fromkeys(filter(None, said))]
        return " AND ".join([f"({fault.where})", *withheld])

    # --- by template: a name here is the name there --------------------------------------------

    def _required(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        when = f" AND ({said['when']})" if said["when"] else ""
        if column == "source_record_id":
            return [Fault(texts={column: [None]})]
        number = self.writer.read["source_record_id"].source
        mapping = self.feed.map.get(column)
        is_part = mapping and set(mapping.source) & {*number}
        also = (f"{self.contract.codes}-101",) if is_part else ()
        return [Fault(f"{column} IS NOT NULL{when}", {column: "NULL"}, also=also)]

    def _in_codelist(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return [Fault(f"{column} IS NOT NULL", texts={column: list(NO_WORDS)})]

    def _readable(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        texts = NO_VALUES.get(self.contract.column(column).duckdb_type, NO_NUMBERS)
        roles = self.contract.roles
        told = roles.point[0] if column == roles.position else column
        where = "TRUE" if column == WITHDRAWAL else f"{told} IS NOT NULL"
        return [Fault(where, texts={column: list(texts)})]

    def _well_formed(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        if column != "source_record_id":
            return []
        number = self.writer.read[column].source
        if rule.template == "well_formed" and {*number} - {*self.writer.number_cells}:
            return []  # its other part is well formed
        return [Fault(texts={column: WRONG_NUMBERS[rule.template]})]

    _length = _not_rounded = _well_formed

    def _in_range(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        if column in self.contract.roles.point and self._is_grid:
            return []
        most, least = rule.kwargs.get("max_value"), rule.kwargs["min_value"]
        beyond = least - 1 if most is None else most + max(7, round(abs(most) / 12))
        return [Fault(f"{column} IS NOT NULL", {column: str(beyond)})]

    def _not_negative(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return [Fault(f"{column} IS NOT NULL", {column: "-3"})]

    def _plausible(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        most = rule.kwargs["max_value"]
        return [Fault(f"{column} IS NOT NULL", {column: str(most * 6 // 5)})]

    def _part_of_whole(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        whole = rule.kwargs["column_A"]
        return [Fault(f"{whole} IS NOT NULL", {column: f"{whole} + 1"})]

    def _counted_in_no_time(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        return [Fault(f"{said['count']} > 0", {column: "0"})]

    def _given_coordinates(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        zero = {column: "0", said["other"]: "0"}
        return [] if self._is_grid else [Fault(f"{column} IS NOT NULL", zero)]

    def _both_or_neither(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        if column not in self.feed.map:
            return []
        return [Fault(f"{column} IS NOT NULL", {said["other"]: "NULL"})]

    def _inside_country(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        north, east = self.contract.roles.point  # exchanged, which lies outside all three countries
        return [Fault(f"{north} IS NOT NULL", {north: east, east: north})]

    def _inside_admin1(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        north, east = self.contract.roles.point
        far = {north: "far_latitude_deg", east: "far_longitude_deg"}
        return [Fault(f"{north} IS NOT NULL AND far_latitude_deg IS NOT NULL", far)]

    def _admin1_at_date(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        event, rules = self.contract.column(said["date"]).day_of, self.contract.rules
        period = tuple(other.code for other in rules if other.template == "in_feed_period")
        before = {event: "area_from - INTERVAL 1 MONTH", **self._without_other_dates(event)}
        is_young = "area_from IS NOT NULL AND former_area IS NULL"
        return [
            Fault(f"{column} IS NOT NULL AND former_area IS NOT NULL", {column: "former_area"}),
            Fault(is_young, before, also=period, share=0.004),
        ]

    def _border_point_of_country(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        far = {"= 'CAF'": "COD-ZMB-KIPUSHI", "<> 'CAF'": "CAF-CMR-BELOKO"}
        told = f"{column} IS NOT NULL AND country"
        return [Fault(f"{told} {test}", texts={column: [code]}) for test, code in far.items()]

    def _not_before_year(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return self._moved(column, f"- INTERVAL {self.received.year - said['year'] + 4} YEAR")

    def _not_in_future(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return self._moved(column, "+ INTERVAL 29 YEAR")

    def _in_feed_period(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        starts = self.feed.starts or self.received.date() - dt.timedelta(days=5 * 366)
        return self._moved(column, f"- INTERVAL {self.received.year - starts.year + 1} YEAR")

    def _not_before_event(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        event = self.contract.column(said["date"]).day_of or said["date"]
        return [Fault(f"{event} IS NOT NULL", {column: f"{event} - INTERVAL 9 DAY"})]

    def _not_before_start(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        return self._after_start(column, said["start"], "- INTERVAL 3 DAY")

    def _longer_than_a_year(
        self, rule: Rule, column: str, said: Mapping[str, Any]
    ) -> Iterable[Fault]:
        return self._after_start(column, said["start"], "+ INTERVAL 400 DAY")

    def _unique(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return [Fault(copies="number")]

    def _told_once(self, rule: Rule, column: str, said: Mapping[str, Any]) -> Iterable[Fault]:
        return [Fault(copies="content")]

    @property
    def _is_grid(self) -> bool:
        """True where positions are references of a grid, which has only places on earth."""
        mapping = self.feed.map.get(self.contract.roles.position or "")
        return mapping is not None and mapping.notation in ("utm", "mgrs")

    def _after_start(self, column: str, start: str, step: str) -> Iterable[Fault]:
        return [Fault(f"{start} IS NOT NULL", {column: f"{start} {step}"})]

    def _moved(self, column: str, step: str) -> Iterable[Fault]:
        """A date in another year; other dates, which would contradict it, are left out."""
        area = " AND area_from IS NULL" if self.contract.roles.area else ""
        moved = {column: f"{column} {step}"}
        if column == self.contract.roles.event_time:
            moved |= self._without_other_dates(column, past="-" in step)
        return [Fault(f"{column} IS NOT NULL{area}", moved)]

    def _without_other_dates(self, column: str, *, past: bool = True) -> dict[str, str]:
        kept = {column, self.contract.roles.report_time} if past else {column}
        dates = [c.name for c in self.contract.columns if c.duckdb_type in ("TIMESTAMP", "DATE")]
        return {c: "NULL" for c in dates if c in self.feed.map and c not in kept}


@cache
def own_faults() -> dict[str, dict[str, Any]]:
    """By table and code what `faults.yaml` tells, and by number what it tells of every table."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(FAULTS.read_text("utf-8"))
    return {
        table: {str(code): one for code, one in rules.items()} for table, rules in found.items()
    }


def _own(told: Mapping[str, Any]) -> Fault:
    """A fault as `faults.yaml` tells it."""
    return Fault(
        where=told.get("where", "TRUE"),
        values={c: "NULL" if v is None else str(v) for c, v in told.get("set", {}).items()},
        texts=told.get("text", {}),
        copies=told.get("copies", ""),
        also=tuple(told.get("also", ())),
        is_of_sums=told.get("sums", False),
        share=told.get("share", SHARE_PER_RULE),
    )

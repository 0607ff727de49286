"""A feed and its contract compiled to one DuckDB query: map, cast, look up, derive, judge, route.

Not here: single values (`expressions.py`, `macros.py`), code tables (`lookups.py`), running it.

The query is a chain of steps, each a common table expression over the one before:

    texts      the text that each target column takes from the source, by the feed's mapping
    coded      numbers, truth values, dates as wall-clock time, codes that stand alone
    placed     coordinates, first-level area (by name within the country and date)
    timed      second-level area, time zone of the place, UTC, the local day and its precision
    known      attributes of the codes, the geofence; columns that this feed lacks, empty
    derived    what the contract derives from typed columns, and the provenance of the row
    facts      values that compare the rows of the delivery
    shown      the contract's columns as published (withheld values gone), and unread texts
    judged     whether an error rejects the row, the codes of errors (`reasons`) and warnings
               (`quality_flags`)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.harmonise import expressions as ex
from pipelines.harmonise.joins import (
    area_join,
    attribute_join,
    geofence_answer,
    geofence_join,
    look_up_join,
    value_by_side,
)
from pipelines.harmonise.lookups import AREA_LIST
from pipelines.harmonise.moments import MOMENT, Moments
from schemas.contract import Column, Contract
from schemas.feed import Feed, Mapping
from schemas.record import RECORD_NUMBER, SOURCE_REVISION, WITHDRAWAL
from schemas.rules import any_holds, codes_that_hold, fails_when
from schemas.sqltext import literal, name
from schemas.table import LookUp

# How far back a feed that does not say where it starts is believed without a warning.
USUAL_SPAN = "INTERVAL 5 YEAR"
_ALL_ROWS = "text_rows AS delivery"


@dataclass
class Steps:
    """A chain of common table expressions, each adding columns to the one before."""

    parts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, label: str, columns: dict[str, str], joins: tuple[str, ...] = ()) -> None:
        """Add a step: all columns so far, and `columns` (name → SQL)."""
        previous = self.parts[-1][0]
        extra = "".join(f",\n    {sql} AS {name(column)}" for column, sql in columns.items())
        joined = "".join(f"\n  {join}" for join in joins)
        self.parts.append((label, f"SELECT {previous}.*{extra}\n  FROM {previous}{joined}"))

    def start(self, label: str, select: str) -> None:
        """Add a step that lists its own columns."""
        self.parts.append((label, select))

    @property
    def sql(self) -> str:
        """The statement: WITH every step, all of the last."""
        body = ",\n".join(f"{label} AS (\n  {select})" for label, select in self.parts)
        return f"WITH {body}\nSELECT * FROM {self.parts[-1][0]}"


@dataclass(frozen=True)
class CompiledFeed:
    """What a delivery needs: the statement, rows that it cannot judge, what it looks up.

    `sql` reads `text_rows`, `unreadable_sql` the rows that could not be split into columns.
    """

    sql: str
    unreadable_sql: str
    lookup_texts: dict[str, str]
    codelists: frozenset[str]
    columns: tuple[str, ...]
    is_fenced: bool
    record_key_sql: str
    content_sql: tuple[str, ...]

    def sql_over(self, relation: str) -> str:
        """The statement over another relation with the columns of `text_rows`."""
        return self.sql.replace(_ALL_ROWS, f"{relation} AS delivery")


def accepted_of(judged: str) -> str:
    """The rows that break no rule of severity error, of a relation made by the statement."""
    return (
        "SELECT * EXCLUDE (reasons, is_rejected), []::VARCHAR[] AS reasons "
        f"FROM {judged} WHERE NOT is_rejected"
    )


def rejected_of(judged: str) -> str:
    """The others, with their reasons."""
    return f"SELECT * EXCLUDE (is_rejected) FROM {judged} WHERE is_rejected"


def compile_feed(feed: Feed, contract: Contract) -> CompiledFeed:
    """The query of `feed` over `text_rows`, for the columns and rules of `contract`.

    The statement reads the session variables and temporary tables that `prepare.py` makes.
    Raises KeyError for a mapping whose target is not in the contract.
    """
    return _Compiler(feed, contract).compile()


class _Compiler:
    def __init__(self, feed: Feed, contract: Contract) -> None:
        self.feed, self.contract = feed, contract
        self.columns = {column.name: column for column in contract.columns}
        self.roles, self.point = contract.roles, contract.roles.point
        self.first_area, self.second_area = (*contract.roles.area, None, None)[:2]
        unknown = set(feed.map) - set(self.columns)
        if unknown:
            raise KeyError(f"{feed.feed}: not in the contract: {', '.join(sorted(unknown))}")
        self.read = {t: m for t, m in feed.map.items() if m.source}
        self.fixed = {t: m for t, m in feed.map.items() if not m.source}
        self.texts = {t: ex.text_of(feed, m, self.columns[t]) for t, m in self.read.items()}
        self.moments = Moments(feed, contract)
        self.steps = Steps()

    def compile(self) -> CompiledFeed:
        self._texts()
        self._coded()
        self._placed()
        self._timed()
        self._known()
        self._derived()
        self._shown()
        self._judged()
        lists = {self.columns[t].codelist for t in self.looked_up} | {AREA_LIST, "countries"}
        lists |= {helper.codelist for helper in self.contract.helpers if helper.codelist}
        lists |= {
            self.columns[u.column].codelist for c in self.columns.values() for u in c.look_ups
        }
        return CompiledFeed(
            sql=self.steps.sql,
            unreadable_sql=self._unreadable(),
            lookup_texts={target: self.texts[target] for target in self.looked_up},
            codelists=frozenset(lists),
            columns=self.shown_columns,
            is_fenced=self.is_fenced,
            record_key_sql=self.record_key,
            content_sql=self._content(),
        )

    def _content(self) -> tuple[str, ...]:
        """What a row says, and not how, when and under which number it was said."""
        how = {RECORD_NUMBER, SOURCE_REVISION, WITHDRAWAL, self.roles.report_time}
        return tuple(text for column, text in self.texts.items() if column not in how)

    @property
    def record_key(self) -> str:
        """The look-up key of a row's own number, from which the contract makes its identifier."""
        mapping = self.read.get(RECORD_NUMBER)
        if mapping is None:
            return "NULL::VARCHAR"
        return ex.key_of(self.feed, mapping, self.columns[RECORD_NUMBER])

    @property
    def looked_up(self) -> list[str]:
        return [target for target in self.read if self.columns[target].codelist]

    @property
    def is_fenced(self) -> bool:
        """True where a row can have a position, and the contract asks where it lies."""
        has_point = bool(self.roles.point) and self._present().issuperset(self.roles.point)
        return has_point and any(helper.geofence for helper in self.contract.helpers)

    def _texts(self) -> None:
        texts = "".join(f",\n    {sql} AS {name(t + '__text')}" for t, sql in self.texts.items())
        self.steps.start(
            "texts",
            f"SELECT delivery.source_row, coalesce(r.times, 1) AS record_id__times,\n"
            f"    coalesce(s.same_content_rows, 1) AS same_content_rows,\n"
            f"    {self.record_key} AS record_key{texts}\n"
            f"  FROM {_ALL_ROWS} LEFT JOIN repeated_rows r USING (source_row)\n"
            "  LEFT JOIN same_content s USING (source_row)\n"
            "  WHERE r.duplicate_of IS NULL",
        )

    def _coded(self) -> None:
        columns: dict[str, str] = {}
        joins: list[str] = []
        for target, mapping in self.fixed.items():
            columns[self.moments.stated(target)] = ex.fixed_value(mapping, self.columns[target])
        for target, mapping in self.read.items():
            column, text = self.columns[target], name(f"{target}__text")
            if target == self.roles.position or target in self.roles.area:
                continue
            if column.codelist:
                alias = f"w_{target}"
                joins.append(f"LEFT JOIN words_{target} {alias} ON {alias}.raw = {text}")
                columns[self.moments.stated(target)] = f"{alias}.code"
            elif column.filled_by == "input" and mapping.crosswalk:
                columns[target] = self._crosswalked_truth(mapping, text)
            elif column.duckdb_type == MOMENT:
                offsets, local = ex.formats_of(self.feed, mapping)
                columns[f"{target}__instant"] = ex.instant_of(offsets, text, local)
                columns[f"{target}__wall"] = ex.wall_of(local, text)
            else:
                angle = target in self.roles.point
                columns[target] = ex.typed_value(self.feed, mapping, column, text, is_angle=angle)
        self.steps.add("coded", columns, tuple(joins))

    def _crosswalked_truth(self, mapping: Mapping, text: str) -> str:
        """A truth value by a crosswalk of a few words, written into the query as branches."""
        branches = "".join(
            f" WHEN lookup_key({literal(row['source_value'])}) THEN {row['code'].upper()}"
            for row in self.feed.crosswalk(mapping.crosswalk)
        )
        return f"CASE lookup_key({text}){branches} END"

    def _placed(self) -> None:
        columns: dict[str, str] = {}
        joins: list[str] = []
        if (position := self.roles.position) and position in self.read:
            mapping, (latitude, longitude) = self.read[position], self.roles.point
            decimal = mapping.decimal or self.feed.decimal
            value = ex.position_of(mapping, decimal, f"{position}__text")
            self.steps.add("positioned", {f"{position}__value": value})
            columns[latitude] = f"{position}__value.latitude_deg"
            columns[longitude] = f"{position}__value.longitude_deg"
        self.steps.add("dated", *self.moments.event_date(self._or_null(self.roles.country)))
        admin1: list[str] = []
        first, country = self.first_area, self.roles.country
        if first in self.read:
            joins.append(area_join("w1", first, self._or_null(country), "event_date"))
            admin1.append("w1.code")
        if (found := self._area_by_point()) and first and first not in self.fixed:
            joins.append(look_up_join("point", found, self.columns, name(found.column)))
            unsaid = f"{first}__text IS NULL AND " if admin1 else ""
            admin1.append(value_by_side("point", found, f"{unsaid}{country}"))
        if admin1 and first:
            columns[first] = f"coalesce({', '.join(admin1)})"
        self.steps.add("placed", columns, tuple(joins))

    def _timed(self) -> None:
        admin1 = self._or_null(self.first_area)
        joins, zones = [], {}  # by the column that tells the zone
        for at, found in enumerate(self.contract.look_ups(self.roles.zone)):
            code = self._or_null(found.column)
            joins.append(look_up_join(f"zone_{at}", found, self.columns, code))
            zones[found.column] = f"nullif(zone_{at}_{found.attribute}, '')"
        unknown = "NULL::VARCHAR"
        by_place = f"coalesce({', '.join([*zones.values(), unknown])})"
        columns = {"area_zone": zones.get(self.first_area or "", unknown), "place_zone": by_place}
        if (second := self.second_area) and second in self.read:
            joins.append(area_join("w2", second, admin1, "event_date"))
            columns[second] = "w2.code"
        zone = self.moments.named_zone
        columns[self.roles.zone or "time_zone"] = (
            literal(zone) if zone else f"coalesce({by_place}, 'UTC')"
        )
        self.steps.add("zoned", columns, tuple(joins))
        self.steps.add("clocked", *self.moments.utc())
        self.steps.add("precise", self.moments.precisions())
        self.steps.add("timed", self.moments.shown())

    def _known(self) -> None:
        """Columns that this feed does not map, empty; attributes of codes; the geofence."""
        present = self._present()
        empty = {
            column.name: f"CAST(NULL AS {column.duckdb_type})"
            for column in self.contract.columns
            if column.name not in present and not self._default(column)
        }
        self.steps.add("filled", empty)
        columns: dict[str, str] = {}
        joins = [geofence_join(self.point)] if self.is_fenced else []
        wanted: dict[tuple[str, str], list[str]] = {}
        for helper in self.contract.helpers:
            if helper.feed:
                usual = f"(getvariable('received_at')::DATE - {USUAL_SPAN})::DATE"
                columns[helper.name] = literal(self.feed.starts) if self.feed.starts else usual
            elif helper.geofence and self.is_fenced:
                of = self.roles.country if helper.geofence == "country" else self.first_area
                answer = geofence_answer(helper.geofence, self._or_null(of), self.point)
                columns[helper.name] = answer
            elif helper.geofence or helper.column in empty:
                kind = "BOOLEAN" if helper.geofence else helper.type
                columns[helper.name] = f"CAST(NULL AS {kind})"
            else:
                wanted.setdefault((helper.codelist, helper.column), []).append(helper.attribute)
                alias = f"{helper.column}_in_{helper.codelist}"
                attribute = f"{name(f'{alias}_{helper.attribute}')}::VARCHAR"
                columns[helper.name] = f"TRY_CAST(nullif({attribute}, '') AS {helper.type})"
        for (codelist, column), attributes in wanted.items():
            alias = f"{column}_in_{codelist}"
            joins.append(attribute_join(alias, codelist, name(column), *attributes))
        self.steps.add("known", columns, tuple(joins))

    def _derived(self) -> None:
        present = self._present()
        # What the reading fills comes first, since the contract derives from it (record_id).
        columns = {
            column.name: self._default(column)
            for column in sorted(self.contract.columns, key=lambda c: bool(c.derive))
            if column.name not in present and self._default(column)
        }
        self.steps.add("derived", {"feed_handling": literal(self.feed.handling), **columns})
        self.steps.add("facts", {fact.name: fact.sql for fact in self.contract.facts})

    def _default(self, column: Column) -> str:
        """What fills a column that this feed does not map; empty where nothing does."""
        if column.derive:
            return f"CAST({column.derive} AS {column.duckdb_type})"
        return self.provenance.get(column.name, "")

    @property
    def provenance(self) -> dict[str, str]:
        """Columns that the reading itself fills."""
        filled = {
            "source": literal(self.feed.source),
            "delivery_id": "getvariable('delivery_id')::VARCHAR",
            "received_at": "getvariable('received_at')::TIMESTAMP",
        }
        if (event := self.moments.event) and (words := self.roles.event_time_words):
            filled[words] = f"{event}__text"
        return filled

    def _shown(self) -> None:
        shown = {}
        for column in self.contract.published:
            if column.filled_by == "lake" or column.name == "quality_flags":
                continue
            value = name(column.name)
            if column.withheld_when:
                value = f"CASE WHEN {column.withheld_when} THEN NULL ELSE {value} END"
            shown[column.name] = value
        for column in self.contract.columns:
            if column.filled_by in ("feed", "input") and not column.is_plain_text:
                shown[column.unread] = self._unread(column)
        private = [h.name for h in self.contract.helpers] + [f.name for f in self.contract.facts]
        shown |= {column: name(column) for column in private}
        self.shown_columns = tuple(shown)
        listed = ",\n    ".join(f"{sql} AS {name(column)}" for column, sql in shown.items())
        self.steps.start("shown", f"SELECT record_id__times, {listed}\n  FROM facts")

    def _unread(self, column: Column) -> str:
        if column.name not in self.read:
            return "NULL::VARCHAR"
        value = (
            self.roles.point[0]
            if column.name == self.roles.position
            else name(self.moments.stated(column.name))
        )
        if day := self.contract.days.get(column.name):
            value = name(day.name)  # a day without its hour was read too
        text = name(f"{column.name}__text")
        if column.is_never_kept:
            # That something stood there is enough to judge by; what stood there is not kept.
            return f"CASE WHEN {value} IS NULL AND {text} IS NOT NULL THEN '•••' END"
        return f"CASE WHEN {value} IS NULL THEN {text} END"

    def _judged(self) -> None:
        errors = [(r.code, fails_when(r)) for r in self.contract.rules if r.severity == "error"]
        warnings = [(r.code, fails_when(r)) for r in self.contract.rules if r.severity == "warning"]
        listed = ", ".join(name(column) for column in self.shown_columns)
        self.steps.start(
            "judged",
            f"SELECT {listed},\n    {codes_that_hold(warnings)} AS quality_flags,\n"
            f"    {codes_that_hold(errors)} AS reasons,\n"
            f"    {any_holds(errors)} AS is_rejected\n  FROM shown",
        )

    def _present(self) -> set[str]:
        """The contract's columns that a step before has filled."""
        done = set(self.feed.map) | {"source_row"}
        done |= set(self.roles.point) if self.roles.position in self.read else set()
        done |= {self.first_area} if self.first_area and self._has_first_area() else set()
        return done | self.moments.filled | {self.roles.zone or "time_zone"}

    def _area_by_point(self) -> LookUp | None:
        """How a border point that the feed takes from its source tells the first area; or None."""
        found = (one for one in self.contract.look_ups(self.first_area) if one.sides)
        return next((one for one in found if one.column in self.read), None)

    def _has_first_area(self) -> bool:
        return self.first_area in self.feed.map or bool(self._area_by_point())

    def _unreadable(self) -> str:
        """The rows that could not be read: where they come from and the reason, nothing else."""
        origin = ("source", "delivery_id", "received_at")
        known = ", ".join(f"{self.provenance[column]} AS {column}" for column in origin)
        verdict = "[]::VARCHAR[] AS quality_flags, [code] AS reasons"
        return f"SELECT source_row, {known}, {verdict} FROM text_rows_unreadable"

    def _or_null(self, column: str | None) -> str:
        if column is None:
            return "NULL::VARCHAR"
        has = column in self.feed.map or (column == self.first_area and self._has_first_area())
        return name(column) if has else "NULL::VARCHAR"

"""Choose what each column of a sample fills: by its name, and by what its values can be read as.

Not here: the words (`vocabulary.py`), the tests of values (`values.py`), the YAML (`guess.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipelines.authoring.sample import ROWS, Sample
from pipelines.authoring.values import ENOUGH, Dates, Values, shown_formats
from pipelines.authoring.vocabulary import IGNORE, Meaning, Vocabulary
from pipelines.landing.columns import SHEET_COLUMN
from schemas.contract import Column, Contract
from schemas.record import RECORD_NUMBER, SOURCE
from schemas.sqltext import name

LEAST = 0.6
WORDS_SHOWN = 4
SHARED_BY = 3  # fewer rows with a word could be one person's
DATED = ("TIMESTAMP", "DATE")
# Exports of Kobo and ODK have these beside the answers: when a form was opened and closed.
FORM_TIMES = ("start", "end")
FORM_MARKS = frozenset({"_uuid", "_submission_time", "meta/instanceID", "SubmissionDate", "KEY"})
COUNTED = ("INTEGER", "BIGINT")
POSITION_PARTS = ("utm_zone", "easting", "northing")
TIME_PART = ":time"


@dataclass
class Match:
    """What fills a target: source columns or a fixed value, options of the mapping, doubts."""

    sources: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    language: str = ""


@dataclass
class Matches:
    """The matches by target, in the order of the contract, and the columns left to ignore."""

    targets: dict[str, Match]
    ignored: dict[str, str]
    unmatched: list[str]


class Matcher:
    """One sample against one contract."""

    def __init__(self, sample: Sample, contract: Contract, *, is_workbook: bool) -> None:
        """Prepare the words and the tests."""
        self.sample, self.contract, self.is_workbook = sample, contract, is_workbook
        self.values = Values(sample)
        self.vocabulary = Vocabulary(sample, contract)
        self.columns = {c.name: c for c in contract.columns_filled_by("feed", "input")}
        self.roles = contract.roles
        self.chosen: dict[str, Match] = {}
        self.ignored: dict[str, str] = {}
        self.left = list(sample.headings)
        self.rivals: dict[str, list[str]] = {}

    def match(self) -> Matches:
        """Choose; see the module's docstring."""
        self._by_name()
        self._by_value()
        self._join_times()
        self._join_positions()
        self._identify()
        self._add_second_uses()
        self._place()
        order = [c for c in self.columns if c in self.chosen]
        return Matches({c: self.chosen[c] for c in order}, self.ignored, self.left)

    # --- by name, helped by values -------------------------------------------------------------

    def _by_name(self) -> None:
        """The pairs of column and target, the surest first, each column and target once."""
        pairs = []
        for at, heading in enumerate(self.sample.headings):
            if heading in FORM_TIMES and FORM_MARKS & set(self.sample.headings):
                self.left.remove(heading)
                self.ignored[heading] = "internal"
                continue
            for target, meaning in self.vocabulary.meanings(heading).items():
                match, bonus = self._evidence(target, heading)
                match.language = meaning.language
                pairs.append((meaning.score + bonus, -at, heading, target, match, meaning))
        for score, _, heading, target, match, meaning in sorted(
            pairs, key=lambda pair: pair[:2], reverse=True
        ):
            if score >= LEAST:
                self._take(heading, target, match, meaning)

    def _take(self, heading: str, target: str, match: Match, meaning: Meaning) -> None:
        if heading not in self.left:
            return
        if target in self.chosen:
            self.rivals.setdefault(target, []).append(heading)
            return
        self.left.remove(heading)
        if target.startswith(IGNORE):
            self.ignored[heading] = target.removeprefix(IGNORE)
            return
        if meaning.score < 0.8:
            match.doubts.insert(0, "the name is only like it")
        self.chosen[target] = match

    def _evidence(self, target: str, heading: str) -> tuple[Match, float]:
        """The options that the values suggest, doubts, and what they add to the name's score."""
        match = Match((heading,))
        text = self.sample.filled(heading)
        if target.startswith(IGNORE):
            return match, 0.0
        if not self.sample.words(heading):
            match.doubts.append("the sample has no value of it")
            return match, -0.1
        column = self.columns.get(target.partition(":")[0])
        if ":" in target or column is None:
            return match, self._part_bonus(target, text)
        if column.name == self.roles.position:
            return match, self._position(match, text)
        if column.codelist:
            return match, self._coded(match, column, text)
        if column.duckdb_type in DATED:
            return match, self._dated(match, column, self.values.dates(text))
        return match, self._plain(match, column, text)

    def _part_bonus(self, target: str, text: str) -> float:
        if target.endswith(TIME_PART):
            return 0.3 if self.values.clocks(text).share >= ENOUGH else -0.5
        return 0.1 if self.values.number(text) >= ENOUGH or "zone" in target else -0.5

    def _position(self, match: Match, text: str) -> float:
        if self.values.grids(text) >= ENOUGH:
            match.options["notation"] = "mgrs"
            return 0.3
        if self.values.angles(text) >= ENOUGH:
            match.options["notation"] = "dms"
            return 0.3
        return -0.5

    def _coded(self, match: Match, column: Column, text: str) -> float:
        share, unknown = self.values.in_list(column.codelist, text)
        if unknown:
            some = "".join(f"“{w}”, " for w in self._shown(match.sources[0], column, unknown))
            match.doubts.append(
                f"not in the list {column.codelist}: {some}{len(unknown)} in all; "
                f"write crosswalks/{column.codelist}.csv, name it with crosswalk:"
            )
        return 0.3 if share >= ENOUGH else 0.15 if share >= 0.5 else 0.0 if share >= 0.2 else -0.2

    def _shown(self, heading: str, column: Column, words: list[str]) -> list[str]:
        """Of a column's words a few that can be written down: none that may tell of a person."""
        if column.name in self.roles.person_words or self.vocabulary.is_of_people(heading):
            return []
        rows = self.sample.words(heading)
        shared = [w for w in words if rows[w] >= SHARED_BY and not any(c.isdigit() for c in w)]
        return shared[:WORDS_SHOWN]

    def _dated(self, match: Match, column: Column, dates: Dates) -> float:
        """Formats and zone of a date column; month-first is a doubt wherever it reads as well."""
        match.options.pop("formats", None)
        if shown := shown_formats(dates.formats, self.is_workbook):
            match.options["formats"] = list(shown)
        if column.duckdb_type == "TIMESTAMP":
            match.options["time_zone"] = "offset" if dates.has_offset else "place"
        if dates.is_day_order_open:
            match.doubts.append("day first or month first: both read every value")
        if any("%d" not in form for form in dates.formats):
            match.doubts.append("months only: is each a period?")
        if 0 < dates.share < 1:
            match.doubts.append(f"{1 - dates.share:.0%} of the values are in no known format")
        return 0.3 if dates.share >= ENOUGH else 0.1 if dates.share >= 0.5 else -0.5

    def _plain(self, match: Match, column: Column, text: str) -> float:
        kind = column.duckdb_type
        if column.name in self.roles.point and self.values.angles(text) > 0.5:
            match.options["notation"] = "dms"
            return 0.3
        if kind in COUNTED:
            share = self.values.whole(text)
            return 0.2 if share >= ENOUGH else -0.6 if share < 0.5 else 0.0
        if kind == "DOUBLE":
            share = self.values.number(text)
            return 0.2 if share >= ENOUGH else -0.6 if share < 0.5 else 0.0
        if kind == "BOOLEAN":
            return self._truth(match, column, text)
        if column.name == RECORD_NUMBER:
            return 0.2 if self._is_unique((match.sources[0],)) else -0.05
        return 0.0

    def _truth(self, match: Match, column: Column, text: str) -> float:
        if self.values.truth(text) >= ENOUGH:
            return 0.3
        words = list(self.sample.words(match.sources[0]))
        shown = self._shown(match.sources[0], column, words)
        some = ", ".join(f"“{word}”" for word in shown) or f"its {len(words)} words"
        match.doubts.append(f"which of {some} withdraws? write crosswalks/withdrawal.csv")
        return 0.05 if len(words) <= 4 else -0.6

    # --- by value alone ------------------------------------------------------------------------

    def _by_value(self) -> None:
        """Columns whose words are all in just one list that still has an empty target."""
        for heading in list(self.left):
            words = self.sample.words(heading)
            if len(words) < 2 and heading != SHEET_COLUMN:
                continue
            open_lists = {
                column.codelist: column.name
                for column in reversed(self.columns.values())
                if column.codelist
                and column.name not in self.chosen
                and column.name not in (SOURCE, self.roles.country)  # too much hangs on them
            }
            fits = [
                target
                for codelist, target in open_lists.items()
                if self.values.in_list(codelist, self.sample.filled(heading))[0] >= 0.95
            ]
            if len(fits) == 1:
                self.left.remove(heading)
                doubt = "by its values alone; the name says nothing"
                self.chosen[fits[0]] = Match((heading,), {}, [doubt])

    # --- columns that belong together ----------------------------------------------------------

    def _join_times(self) -> None:
        for target in [one for one, column in self.columns.items() if column.duckdb_type in DATED]:
            clock = self.chosen.pop(f"{target}{TIME_PART}", None)
            if clock is None:
                continue
            date = self.chosen.get(target)
            if date is None:
                self.left.append(clock.sources[0])
                continue
            date.sources = (*date.sources, *clock.sources)
            parts = ", ".join(self.sample.filled(source) for source in date.sources)
            text = f"nullif(concat_ws(' ', {parts}), '')"
            date.doubts = [d for d in date.doubts if "day first" not in d and "format" not in d]
            self._dated(date, self.columns[target], self.values.dates(text))

    def _join_positions(self) -> None:
        """Angles in two columns, or the three parts of a UTM reference, are one position."""
        position = self.roles.position
        if position is None:
            return
        pair = [self.chosen.get(column) for column in self.roles.point]
        if pair and all(m and m.options.get("notation") == "dms" for m in pair):
            sources = tuple(source for m in pair if m for source in m.sources)
            for column in self.roles.point:
                del self.chosen[column]
            self.chosen[position] = Match(sources, {"notation": "dms"})
        parts = [self.chosen.pop(f"{position}:{part}", None) for part in POSITION_PARTS]
        if all(parts):
            sources = tuple(source for m in parts if m for source in m.sources)
            self.chosen[position] = Match(sources, {"notation": "utm"})
        else:
            self.left += [source for m in parts if m for source in m.sources]

    def _identify(self) -> None:
        """The record's number with a second column, where it is not unique by itself."""
        number = self.chosen.get(RECORD_NUMBER)
        if number is None or self._is_unique(number.sources):
            return
        post = self._chosen(self.roles.border_point)
        beside = [*self.rivals.get(RECORD_NUMBER, []), *(post.sources if post else ())]
        at = self.sample.headings.index(number.sources[0])
        beside += [
            *self.sample.headings[at + 1 : at + 2],
            *self.sample.headings[max(0, at - 1) : at],
        ]
        for other in dict.fromkeys(beside):
            if other != number.sources[0] and self._is_unique((other, number.sources[0])):
                order = self.sample.headings.index
                number.sources = tuple(sorted((other, number.sources[0]), key=order))
                number.options["join"] = "/"
                number.doubts.append("the number alone is not unique in the sample")
                self.left = [heading for heading in self.left if heading != other]
                return
        number.doubts.append("it is not unique in the sample")

    def _is_unique(self, headings: tuple[str, ...]) -> bool:
        """True where almost every row has a value of its own; totals and repeats aside."""
        parts = ", ".join(f"coalesce({name(heading)}, '')" for heading in headings)
        counted = f"FROM {ROWS} WHERE {name(headings[-1])} IS NOT NULL"
        rows = self.sample.count(f"SELECT count(*) {counted}")
        different = self.sample.count(f"SELECT count(DISTINCT concat_ws('|', {parts})) {counted}")
        return rows > 0 and different >= 0.98 * rows

    def _add_second_uses(self) -> None:
        """The source's own category beside the code; the first day of a period as its moment."""
        roles = self.roles
        moment, start = roles.event_time, next(iter(roles.period), None)
        for target, origin in (
            (roles.classification_words, roles.classification),
            (moment, start),
        ):
            first = self._chosen(origin)
            if target in self.columns and target not in self.chosen and first:
                match = Match(first.sources, {}, [], first.language)
                if target == moment:
                    text = self.sample.filled(first.sources[0])
                    self._dated(match, self.columns[target], self.values.dates(text))
                    match.doubts.append("the first day of the period")
                self.chosen[target] = match

    def _place(self) -> None:
        """The country, from the areas named, where no column says it."""
        column = self.roles.country
        if column is None or column in self.chosen:
            return
        areas = self._chosen(next(iter(self.roles.area), None))
        country = (
            self.values.country_of_areas(self.sample.filled(areas.sources[0])) if areas else ""
        )
        doubt = "from the areas named" if country else "no column says it: which country?"
        self.chosen[column] = Match((), {"value": country or "CAF"}, [doubt])

    def _chosen(self, target: str | None) -> Match | None:
        return None if target is None else self.chosen.get(target)

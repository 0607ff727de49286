"""A feed read backwards: from the table's values to the cells that its service would have sent.

The declaration says from which source columns a column is read and how: by which crosswalk or code
list, decimal sign, form of a date, notation of a position, sign between joined cells. Each is
turned round here. Where a feed accepts several forms, the profile says which are used, and the row
which of those: the same record is always written in the same way.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping as Values
from typing import TYPE_CHECKING, Any

from pipelines.demo.clock import area_zones, from_utc, to_utc
from pipelines.demo.coordinates import position_texts
from pipelines.demo.files import JOINED
from schemas.codelist import load_codelist

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.profile import Profile
    from schemas.feed import Feed, Mapping
    from schemas.table import Column, Contract

Words = dict[Any, list[str | None]]
YES_NO = {"en": {"true": "yes", "false": "no"}, "fr": {"true": "oui", "false": "non"}}
TYPED = ("xlsx", "json", "ndjson")  # formats whose numbers are numbers and not text
DIGITS = 5


class CellWriter:
    """Writes the records of one feed as the cells of its file."""

    def __init__(self, feed: Feed, contract: Contract, profile: Profile) -> None:
        """Keep what is declared; nothing is written yet."""
        self.feed, self.contract, self.profile = feed, contract, profile
        self.format = feed.file[0].format
        self.read = {column: one for column, one in feed.map.items() if one.source}
        self.words = {c: found for c in self.read if (found := self._words(c)) is not None}

    @property
    def columns(self) -> list[str]:
        """The source columns in the order of the file; parts of one heading side by side."""
        names = [*self.feed.mapped_columns, *self.feed.ignore]
        if self.feed.file[0].with_sheet_column:
            names.append("sheet")
        mark = "." if self.format in ("json", "ndjson") else JOINED
        if self.format == "csv" or (len(self.feed.file[0].header_rows) == 1 and mark == JOINED):
            return list(dict.fromkeys(names))
        heads = list(dict.fromkeys(name.split(mark)[0] for name in names))
        return sorted(dict.fromkeys(names), key=lambda name: heads.index(name.split(mark)[0]))

    @property
    def number_cells(self) -> list[str]:
        """The source columns that hold the record's number and nothing else."""
        others = [c for t, one in self.read.items() if t != "source_record_id" for c in one.source]
        return [c for c in self.read["source_record_id"].source if c not in others]

    def cells(self, records: pd.DataFrame) -> pd.DataFrame:
        """The cells of records, None where empty; the same index.

        A column of `records` with the name of a source column after `cell ` is that cell's text.
        """
        import pandas as pd

        found: dict[str, Any] = {}
        for column, mapping in sorted(self.read.items(), key=lambda one: self._is_plain(one[0])):
            for source, values in self._written(column, mapping, records).items():
                found.setdefault(source, values)
        for source in self.columns:
            if (text := f"cell {source}") in records and source not in found:
                found[source] = records[text]
        cells = pd.DataFrame(found, index=records.index, columns=self.columns, dtype=object)
        return cells.where(cells.notna(), None)

    def numbers(self, cells: pd.DataFrame) -> pd.Series:
        """The record's number as those cells tell it; none where a part is missing."""
        return joined(cells, self.read["source_record_id"])

    def sayable(self, records: pd.DataFrame) -> pd.DataFrame:
        """Records with the codes that the service has words for, or broader ones.

        Those without a code that must be told are left out, other codes are not told.
        """
        must = {rule.column for rule in self.contract.rules if rule.template == "required"
                and rule.severity == "error" and not rule.parameters["when"]}  # fmt: skip
        for column, words in self.words.items():
            if codelist := self.contract.column(column).codelist:
                told = records[column].dropna().unique()
                parents = {r["code"]: r.get("parent", "") for r in load_codelist(codelist)}
                known = {code: _nearest(parents, code, words) for code in told}
                is_lost = records[column].notna() & records[column].map(known).isna()
                records = records.assign(**{column: records[column].map(known).astype(object)})
                records = records[~is_lost] if column in must else records
        return records

    def has_hours(self, column: str) -> bool:
        """True where the file tells the hour of a moment."""
        is_told = any("%H" in form for form in self._formats(column, self.feed.map[column]))
        return is_told and column not in self.profile.day_only

    def _is_plain(self, column: str) -> bool:
        """True for text that a column with a code may share a cell with, and for the number."""
        return column == "source_record_id" or self.contract.column(column).is_plain_text

    def _words(self, column: str) -> Words | None:
        """By each value of a column that is written in words, these; None for other columns."""
        mapping, said = self.read[column], self.contract.column(column)
        own: Words = {c: list(words) for c, words in self.profile.words.get(column, {}).items()}
        is_flag = said.duckdb_type == "BOOLEAN"
        if mapping.crosswalk:
            found: Words = {}
            for row in self.feed.crosswalk(mapping.crosswalk):
                found.setdefault(row["code"], []).append(row["source_value"])
        elif is_flag:
            found = {code: [word] for code, word in YES_NO[self.feed.language].items()}
        elif said.codelist and column not in self.profile.codes:
            languages = self.profile.labels or (self.feed.language,)
            rows = load_codelist(said.codelist)
            labels = {row["code"]: [row[f"label_{one}"] for one in languages] for row in rows}
            found = {code: list(dict.fromkeys(texts)) for code, texts in labels.items()}
        else:
            return None
        found |= own
        return {code == "true": w[:1] for code, w in found.items()} if is_flag else found

    def _written(
        self, column: str, mapping: Mapping, records: pd.DataFrame
    ) -> Values[str, pd.Series]:
        """The cells of one column."""
        said = self.contract.column(column)
        texts = {c: records[f"cell {c}"] for c in mapping.source if f"cell {c}" in records}
        if texts or column == "source_record_id":
            is_told = records[column].notna()
            texts = texts or {mapping.source[0]: records[column]}
            return {source: text.where(is_told, None) for source, text in texts.items()}
        if column == self.contract.roles.position:
            point = [records[one].astype(float) for one in self.contract.roles.point]
            return position_texts(mapping, *point)
        values = records["is_withdrawn" if column == "withdrawal" else column]
        if said.duckdb_type in ("TIMESTAMP", "DATE"):
            return self._times(said, mapping, records)
        if column in self.words:
            return {mapping.source[0]: self._in_words(column, values, records["row"])}
        if said.duckdb_type in ("INTEGER", "BIGINT", "DOUBLE"):
            return {mapping.source[0]: self._in_figures(column, mapping, values)}
        return {mapping.source[0]: values}

    def _in_words(self, column: str, values: pd.Series, row: pd.Series) -> pd.Series:
        import numpy as np
        import pandas as pd

        texts = pd.Series(None, index=values.index, dtype=object)
        for code in values.dropna().unique():
            here, words = (values == code).to_numpy(bool), self.words[column][code]
            choice = at_random(row[here], column, len(words))
            texts[here] = np.array(words, dtype=object)[choice]
        return texts

    def _in_figures(self, column: str, mapping: Mapping, values: pd.Series) -> pd.Series:
        """Numbers: of text formats by the decimal sign of the feed, of others as they are."""
        digits = self.profile.digits.get(column, DIGITS)
        is_typed = self.format in TYPED and column not in self.profile.as_text
        sign = mapping.decimal or self.feed.decimal

        def figures(value: Any) -> Any:
            number = round(float(value), digits)
            if number.is_integer() and column not in self.contract.roles.point:
                number = int(number)
            if is_typed:
                return number
            text = str(number) if isinstance(number, int) else f"{number:.{digits}f}"
            return text.replace(".", sign)

        known = {value: figures(value) for value in values.dropna().unique()}
        return values.map(known).astype(object)

    def _formats(self, column: str, mapping: Mapping) -> tuple[str, ...]:
        return self.profile.formats.get(column) or mapping.formats or self.feed.dates

    def _times(
        self, said: Column, mapping: Mapping, records: pd.DataFrame
    ) -> Values[str, pd.Series]:
        """A date or a moment in the forms that the service uses, in one cell or several."""
        import pandas as pd

        column, row = said.name, records["row"]
        local = pd.to_datetime(records[column])
        shown, offset, is_timed = local, "", pd.Series(False, index=local.index)
        if said.duckdb_type == "TIMESTAMP":
            shown, offset = self._by_its_clock(column, local, area_zones(records))
            is_timed |= self.has_hours(column)
            if column != self.contract.roles.report_time:
                is_timed &= records["is_timed"]
        cells = {one: pd.Series(None, index=local.index, dtype=object) for one in mapping.source}
        formats = self._formats(column, mapping)
        for timed in (False, True) if said.duckdb_type == "TIMESTAMP" else (False,):
            forms = [form for form in formats if ("%H" in form) == timed] or list(formats)
            forms = list(formats) if said.duckdb_type == "DATE" else forms
            forms = forms if column in self.profile.mixed else forms[:1]
            choice = at_random(row, f"form of {column}", len(forms))
            for at, form in enumerate(forms):
                here = (local.notna() & (is_timed == timed) & (choice == at)).to_numpy()
                count = len(mapping.source) - 1
                parts = form.split(mapping.join, count) if count else [form]
                for source, part in zip(mapping.source, parts, strict=False):
                    text = (shown if timed else local)[here].dt.strftime(part.replace("%z", ""))
                    cells[source][here] = text + offset[here] if "%z" in part else text
        if share := self.profile.as_dates.get(column):
            # Midnight stays text: a date of a workbook cannot tell it from a day without an hour.
            is_date = is_timed & (at_random(row, f"date of {column}", 1000) < share * 1000)
            is_date &= local.notna() & (local != local.dt.normalize())
            first = mapping.source[0]
            cells[first] = cells[first].mask(is_date, local.astype(object))
        return cells

    def by_named_clock(self, column: str, utc: pd.Series) -> pd.Series:
        """A moment by the zone that the feed names for it; NaT where that is the place's."""
        import pandas as pd

        zone = self.read[column].time_zone
        is_named = zone not in ("", "place", "offset")
        return from_utc(utc, zone) if is_named else pd.Series(pd.NaT, index=utc.index)

    def _by_its_clock(
        self, column: str, local: pd.Series, zones: pd.Series
    ) -> tuple[pd.Series, Any]:
        """A moment by the clock by which the file tells it, and the offset of that from UTC."""
        utc = to_utc(local, zones)
        if column in self.profile.in_utc:
            return utc, local.astype(object).map(lambda _: "Z")
        shown = self.by_named_clock(column, utc)
        shown = shown.where(shown.notna(), local)
        hours = ((shown - utc).dt.total_seconds() // 3600).astype("Int64").astype("string")
        return shown, ("+" + hours.str.zfill(2) + ":00").astype(object)


def joined(cells: pd.DataFrame, mapping: Mapping) -> pd.Series:
    """What is read from the cells of a mapping; none where one of them is empty."""
    parts = [cells[source] for source in mapping.source]
    text = parts[0].astype(object)
    for part in parts[1:]:
        text = text + mapping.join + part
    is_whole = cells[list(mapping.source)].notna().all(axis=1)
    told: pd.Series = text.where(is_whole, None)
    return told


def at_random(rows: Any, purpose: str, size: int) -> Any:
    """For each row number one of 0 … size - 1, always the same for the same purpose."""
    import numpy as np

    mixed = np.asarray(rows, dtype="uint64") + np.uint64(zlib.crc32(purpose.encode()) << 20)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(size)).astype(int)


def _nearest(parents: Values[str, str], code: str, known: Words) -> str | None:
    """The code or the nearest broader one that there are words for."""
    while code and code not in known:
        code = parents.get(code, "")
    return code or None

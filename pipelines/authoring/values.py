"""What the texts of a column can be read as: dates, times, numbers, positions, codes of a list.

Not here: which column fills what (`match.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pipelines.authoring.sample import Sample
from pipelines.harmonise.expressions import WORKBOOK_DATES, wall_of
from schemas.codelist import codelist_path
from schemas.sqltext import literal

DAYS = (
    "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%d/%m/%y", "%d-%b-%Y", "%d %b %Y", "%d-%B-%Y",
    "%d %B %Y", "%b %Y", "%B %Y", "%m/%Y", "%Y-%m", "%Y%m%d", "%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y",
    "%m-%d-%Y", "%y%m%d", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip
CLOCKS = (
    "%H:%M", "%H:%M:%S", "%Hh%M", "%HH%M", "%H.%M", "%H%M hrs", "%H%Mh", "%H%M", "%I:%M %p", "%Hh",
)  # fmt: skip
INSTANTS = (
    "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M%z",
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f",
)  # fmt: skip
MONTH_FIRST = {"%m/%d/%Y": "%d/%m/%Y", "%m/%d/%y": "%d/%m/%y", "%m-%d-%Y": "%d-%m-%Y"}
ENOUGH = 0.9
AREAS = "admin_areas"


@dataclass(frozen=True)
class Dates:
    """Formats that read a column, in the order to try them, and the share that they read."""

    formats: tuple[str, ...]
    share: float
    is_day_order_open: bool = False

    @property
    def has_offset(self) -> bool:
        """True where the texts carry their own offset from UTC."""
        return any("%z" in form for form in self.formats)


@dataclass
class Values:
    """Questions about the texts of a sample; the answers are shares of its rows, 0 to 1."""

    sample: Sample

    def dates(self, text_sql: str) -> Dates:
        """The date formats that read a text, fewest first; clock times alone are not dates."""
        with_clock = [f"{day} {clock}" for day in DAYS for clock in CLOCKS]
        return self._formats(text_sql, [*INSTANTS, *DAYS, *with_clock])

    def clocks(self, text_sql: str) -> Dates:
        """The formats of a time of day."""
        return self._formats(text_sql, list(CLOCKS))

    def _formats(self, text_sql: str, candidates: list[str]) -> Dates:
        """A few of the candidates that together read the most texts: greedily, the best first."""
        texts = self._texts(text_sql)
        total = sum(texts.values())
        if not total:
            return Dates((), 0.0)
        read = self._read_by(list(texts), candidates)
        chosen: list[str] = []
        left = set(texts)
        while left:
            gain = {form: sum(texts[t] for t in found & left) for form, found in read.items()}
            best = max(candidates, key=lambda form: (gain[form], -candidates.index(form)))
            if gain[best] < max(1, total * 0.01) or len(chosen) == 4:
                break
            chosen.append(best)
            left -= read[best]
        share = 1 - sum(texts[text] for text in left) / total
        return Dates(tuple(chosen), share, self._is_open(chosen, read))

    def _texts(self, text_sql: str) -> dict[str, int]:
        rows = self.sample.connection.execute(
            f"SELECT text, times FROM {self.sample.texts(text_sql)} ORDER BY text"
        ).fetchall()
        return {text: int(times) for text, times in rows}

    def _read_by(self, texts: list[str], candidates: list[str]) -> dict[str, set[str]]:
        """For each format the texts that it reads; only formats of the right shape are tried."""
        tests = ", ".join(f"{_reading(form)} IS NOT NULL" for form in candidates)
        rows = self.sample.connection.execute(
            f"SELECT text, [{tests}] FROM (SELECT unnest(?::VARCHAR[]) AS text)", [texts]
        ).fetchall()
        return {
            form: {text for text, answers in rows if answers[at]}
            for at, form in enumerate(candidates)
        }

    def _is_open(self, chosen: list[str], read: dict[str, set[str]]) -> bool:
        """True where month first reads every text that day first reads."""
        day_first = {day: month for month, day in MONTH_FIRST.items()}
        for form in chosen:
            for day, month in day_first.items():
                if form.startswith(day) and (other := form.replace(day, month)) in read:
                    return bool(read[form]) and read[form] <= read[other]
        return False

    def whole(self, text_sql: str) -> float:
        """The share that are whole numbers."""
        return self.sample.share(r"regexp_full_match(text, '[+-]?\d{1,9}(\.0*)?')", text_sql)

    def number(self, text_sql: str) -> float:
        """The share that are numbers, with a point or a comma."""
        return self.sample.share(r"regexp_full_match(text, '[+-]?\d+([.,]\d+)?')", text_sql)

    def with_comma(self, text_sql: str) -> float:
        """The share that are numbers with a decimal comma."""
        return self.sample.share(r"regexp_full_match(text, '[+-]?\d+,\d+')", text_sql)

    def truth(self, text_sql: str) -> float:
        """The share that say yes or no."""
        words = "'true','false','yes','no','oui','non','vrai','faux','0','1','o','n','y','x'"
        return self.sample.share(f"lookup_key(text) IN ({words})", text_sql)

    def angles(self, text_sql: str) -> float:
        """The share that are angles with a hemisphere letter, or degrees and minutes."""
        shape = r"'.*\d.*[°ºNSEWOnsewo].*|[NSEWOnsewo].*\d.*'"
        return self.sample.share(f"regexp_full_match(text, {shape})", text_sql)

    def grids(self, text_sql: str) -> float:
        """The share that are MGRS references."""
        shape = r"'\d{1,2}[C-X]\s?[A-Z]{2}\s?(\d{2}){1,5}|\d{1,2}[C-X]\s?[A-Z]{2}\s?\d+\s\d+'"
        return self.sample.share(f"regexp_full_match(upper(text), {shape})", text_sql)

    def in_list(self, codelist: str, text_sql: str) -> tuple[float, list[str]]:
        """The share whose word is in a code list, and the commonest words that are not."""
        self._load(codelist)
        rows = self.sample.connection.execute(
            f"SELECT text, times, lookup_key(text) IN (SELECT key FROM words_{codelist}) "
            f"FROM {self.sample.texts(text_sql)} ORDER BY times DESC, text"
        ).fetchall()
        total = sum(times for _, times, _ in rows)
        hits = sum(times for _, times, is_in in rows if is_in)
        return (hits / total if total else 0.0), [text for text, _, is_in in rows if not is_in]

    def country_of_areas(self, text_sql: str) -> str:
        """The country whose first-level areas a column names most; empty where none."""
        self._load(AREAS)
        found = self.sample.connection.execute(
            f"SELECT country, sum(times) AS times FROM {self.sample.texts(text_sql)} "
            f"JOIN (SELECT DISTINCT key, country FROM words_{AREAS}) ON key = lookup_key(text) "
            "GROUP BY country ORDER BY country NOT IN ('CAF', 'COD', 'SSD'), times DESC LIMIT 1"
        ).fetchall()
        return str(found[0][0]) if found else ""

    def _load(self, codelist: str) -> None:
        """Make `words_<list>(key, code, country)` once: codes, labels and aliases."""
        if codelist in self._loaded:
            return
        country = "country" if codelist == AREAS else "NULL"
        level = "WHERE level = '1'" if codelist == AREAS else ""
        self.sample.connection.execute(
            f"CREATE TEMP TABLE words_{codelist} AS SELECT DISTINCT lookup_key(word) AS key, code, "
            f"country FROM (SELECT code, {country} AS country, "
            "unnest([code, label_en, label_fr] || string_split(coalesce(aliases, ''), '|')) "
            "AS word "
            f"FROM read_csv(?, all_varchar = true) {level}) WHERE lookup_key(word) <> ''",
            [str(codelist_path(codelist))],
        )
        self._loaded.add(codelist)

    @cached_property
    def _loaded(self) -> set[str]:
        return set()


def shown_formats(formats: tuple[str, ...], is_workbook: bool) -> tuple[str, ...]:
    """The formats that a feed must name: those of real workbook dates are known already."""
    return tuple(f for f in formats if not (is_workbook and f in WORKBOOK_DATES))


def _reading(form: str) -> str:
    """How a delivery's text is read by this format alone: nothing that another one says better."""
    if "%z" in form:
        return f"try_strptime(regexp_replace(text, '[zZ]$', '+00:00'), {literal(form)})"
    is_named = "%b" in form or "%B" in form
    return wall_of([form], "text") if is_named else f"try_strptime(text, {literal(form)})"

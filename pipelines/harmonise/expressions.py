"""One mapping of a feed as SQL: the text it takes, and the typed value that the text becomes.

Not here: joins (code lists, places, time zones) and the assembly of the query (`compile.py`).
"""

from __future__ import annotations

import re

from pipelines.harmonise.lookups import blank_forms
from schemas.contract import Column
from schemas.feed import Feed, Mapping
from schemas.sqltext import literal, name

# What a workbook reader writes for a date cell, whatever the sheet shows.
WORKBOOK_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
_WORKBOOK_DATE, _WORKBOOK_TIME = "%Y-%m-%d", "%H:%M:%S"
# What ends a text with an offset that exists: Z, or up to fourteen hours.
_OFFSET = "([zZ]|[+-]((0[0-9]|1[0-3])(:?[0-5][0-9])?|14(:?00)?))$"
# Formats of ISO 8601, to the minute or the second, without an offset.
_ISO = re.compile("%Y-%m-%d[T ]%H:%M(:%S)?")
_ISO_JOINT = re.compile("(?<=^%Y-%m-%d)[T ](?=%H:%M)")
_BARE_SECOND = re.compile("%S(?![.]%)")
_MONTH_NAME = re.compile("%[bB]")
_INTEGERS = {"INTEGER": "read_count", "BIGINT": "read_whole"}


def text_of(feed: Feed, mapping: Mapping, column: Column) -> str:
    """The text that a mapping takes from a row of `text_rows`; NULL where there is none.

    Where a pattern does not fit, a typed column gets the whole text, which it will not read, and a
    rule says so; plain text gets nothing, since the pattern is there to leave words out.
    """
    parts = _cells(feed, mapping)
    text = parts[0]
    if len(parts) > 1 and is_identifier(column):
        # Half a number is another's: NULL where a part is missing, so that a rule says so.
        text = "(" + f" || {literal(mapping.join)} || ".join(parts) + ")"
    elif len(parts) > 1:
        text = f"nullif(concat_ws({literal(mapping.join)}, {', '.join(parts)}), '')"
    if mapping.pattern:
        cut = f"nullif(regexp_extract({text}, {literal(mapping.pattern)}, 1), '')"
        text = cut if column.is_plain_text else f"coalesce({cut}, {text})"
    return text


def key_of(feed: Feed, mapping: Mapping, column: Column) -> str:
    """The look-up key of the record's number that a mapping takes; NULL where it has none.

    Of several cells each has its own: 12.0 is 12 in a part of a number too.
    """
    if mapping.pattern:
        return f"record_key({text_of(feed, mapping, column)})"
    joint = f" || record_key({literal(mapping.join)}) || "
    return joint.join(f"record_key({cell})" for cell in _cells(feed, mapping))


def _cells(feed: Feed, mapping: Mapping) -> list[str]:
    """Each source cell of a mapping; NULL where it holds one of the feed's words for no value."""
    blanks = blank_forms(feed)
    return [
        f"CASE WHEN {name(c)} IN ({blanks}) THEN NULL ELSE {name(c)} END" if blanks else name(c)
        for c in mapping.source
    ]


def is_identifier(column: Column) -> bool:
    """True for the number of a record, and of a document, plate or weapon, which become tokens."""
    return column.name == "source_record_id" or _becomes_token(column)


def _becomes_token(column: Column) -> bool:
    is_text = column.duckdb_type == "VARCHAR"
    return column.filled_by == "input" and column.is_never_kept and is_text


def number_of(feed: Feed, mapping: Mapping, column: Column, text: str) -> str:
    """The number in `text`, by the feed's decimal sign and thousands separator."""
    thousands = mapping.thousands or feed.thousands
    for sign in [*thousands, "\u00a0", "\u202f"] if thousands else []:
        text = f"replace({text}, {literal(sign)}, '')"
    if (decimal := mapping.decimal or feed.decimal) != ".":
        # A full stop is not a decimal sign in such a feed: 1.234 must not become 1.234 by chance.
        text = f"replace(replace({text}, '.', '?'), {literal(decimal)}, '.')"
    return f"{_INTEGERS.get(column.duckdb_type, 'read_number')}({text})"


def formats_of(feed: Feed, mapping: Mapping) -> tuple[list[str], list[str]]:
    """The date formats to try, in order: those with an offset from UTC, and the local ones."""
    formats = list(mapping.formats or feed.dates)
    if any(layout.format == "xlsx" for layout in feed.file):
        mixed = _mixed_formats(formats, mapping.join) if len(mapping.source) > 1 else []
        formats = list(dict.fromkeys([*formats, *WORKBOOK_DATES, *mixed]))
    return [f for f in formats if "%z" in f], [f for f in formats if "%z" not in f]


def _mixed_formats(formats: list[str], join: str) -> list[str]:
    """The formats of a date and a time in two cells of which a workbook knows one for what it is.

    In one row the day is text and the hour a time of the workbook, in the next the other way round.
    """
    mixed = []
    for form in formats:
        hour = re.search("%-?[HI]", form)
        date, time = (form[: hour.start()], form[hour.start() :]) if hour else ("", "")
        if date.endswith(join) and len(date) > len(join) and "%z" not in time:
            mixed += [f"{_WORKBOOK_DATE}{join}{time}", f"{date}{_WORKBOOK_TIME}"]
    return mixed


def instant_of(formats: list[str], text: str, local: list[str] | None = None) -> str:
    """UTC of a text that carries its own offset; NULL where no format fits.

    A text may have an offset although its format, one of `local`, is of ISO 8601 and names none.
    """
    unnamed = [f"{form}%z" for form in local or [] if _ISO.fullmatch(form)]
    if not unnamed:
        return _instant_of(formats, text)
    has_offset = (
        f"length({text}) > 16 AND (contains({text}, '+') OR contains({text}, 'Z')"
        f" OR contains({text}[17:], '-'))"
    )
    either = _instant_of([*formats, *unnamed], text)
    if not formats:
        return f"CASE WHEN {has_offset} THEN {either} END"
    return f"CASE WHEN {has_offset} THEN {either} ELSE {_instant_of(formats, text)} END"


def _instant_of(formats: list[str], text: str) -> str:
    if not formats:
        return "NULL::TIMESTAMP"
    # DuckDB's %z does not know the Z of ISO 8601; its result is UTC, here without the zone.
    zulu = f"regexp_replace({text}, '[zZ]$', '+00:00')"
    # One format at a time: given a list and %z, DuckDB 1.5.5 reads 30 February as 2 March.
    read = ", ".join(f"try_strptime({zulu}, {literal(form)})" for form in formats)
    if others := _other_forms(formats):
        cut = f"cut_fraction({zulu})"
        finer = ", ".join(f"try_strptime({cut}, {literal(form)})" for form in others)
        read += f", CASE WHEN {text} IS NOT NULL THEN coalesce({finer}, NULL) END"
    instant = f"make_timestamp(epoch_us(coalesce({read}, NULL)))"
    if not all(form.endswith("%z") for form in formats):
        return instant
    # DuckDB also takes +25:00 and +02:75, and moves the hour by as much.
    return f"CASE WHEN regexp_matches({text}, {literal(_OFFSET)}) THEN {instant} END"


def may_have_offset(formats: list[str], local: list[str]) -> bool:
    """Can a text that one of these formats fits carry its own offset?"""
    return bool(formats) or any(_ISO.fullmatch(form) for form in local)


def written_of(formats: list[str], local: list[str], text: str) -> str:
    """The wall-clock time beside the offset that a text carries."""
    plain = [form.replace("%z", "") for form in formats]
    plain += [form for form in local if _ISO.fullmatch(form)]
    return wall_of(plain, f"regexp_replace({text}, {literal(_OFFSET)}, '')")


def wall_of(formats: list[str], text: str) -> str:
    """Local wall-clock time of a text; NULL where no format fits.

    Besides what the formats say: a fraction of a second, a space for the T of ISO 8601, and the
    names of months in French. All are looked for only where nothing else fits.
    """
    if not formats:
        return "NULL::TIMESTAMP"
    unforeseen = []
    if others := _other_forms(formats):
        unforeseen.append(f"try_strptime(cut_fraction({text}), {literal(others)})")
    if named := [form for form in formats if _MONTH_NAME.search(form)]:
        numbered = [_MONTH_NAME.sub("%m", form) for form in named]
        unforeseen.append(f"try_strptime(number_month({text}), {literal(numbered)})")
    read = _wall_of(formats, text)
    if not unforeseen:
        return read
    other = ", ".join([*unforeseen, "NULL"])
    return f"coalesce({read}, CASE WHEN {text} IS NOT NULL THEN coalesce({other}) END)"


def _wall_of(formats: list[str], text: str) -> str:
    """The same by the formats alone.

    A format that does not fit costs DuckDB eight times one that does (0.6 µs a row), so those that
    need a sign, such as a colon, are tried only where the text has it.
    """
    read = f"try_strptime({text}, {literal(formats)})"
    for mark in _marks(formats[0]):
        if rest := [form for form in formats if mark not in _marks(form)]:
            has_mark = f"contains({text}, {literal(mark)})"
            return f"CASE WHEN {has_mark} THEN {read} ELSE {_wall_of(rest, text)} END"
    return read


def _other_forms(formats: list[str]) -> list[str]:
    """What is written for the same: with a fraction of a second, with a space for the T of ISO."""
    swapped = [_ISO_JOINT.sub(" " if "T" in form else "T", form) for form in formats]
    swapped = [form for form, own in zip(swapped, formats, strict=True) if form != own]
    bare = [form for form in [*formats, *swapped] if _BARE_SECOND.search(form)]
    finer = [_BARE_SECOND.sub("%S.%f", form) for form in bare]
    return [form for form in dict.fromkeys([*swapped, *finer]) if form not in formats]


def precision_of(formats: list[str], text: str) -> str:
    """How exactly a text that one of `formats` fits is known: a code of the time precisions.

    The format that fitted tells it: with an hour to the minute, without a day to the month.
    """
    timed = has_time(formats, text)
    plain = list(dict.fromkeys(_known_to(form) for form in formats if not _is_timed(form)))
    hourly = [form for form in formats if _is_timed(form) and not _MINUTES.search(form)]
    exact = (
        f"CASE WHEN {_fits(hourly, text)} THEN 'hour' ELSE 'minute' END" if hourly else "'minute'"
    )
    branches = [
        f"WHEN {_fits([f for f in formats if not _is_timed(f) and _known_to(f) == unit], text)} "
        f"THEN {literal(unit)}"
        for unit in plain[:-1]
    ]
    last = literal(plain[-1] if plain else "day")
    return f"CASE WHEN {timed} THEN {exact} {' '.join(branches)} ELSE {last} END"


_HOURS = re.compile("%-?[HIcXT]")
_MINUTES = re.compile("%-?[McXT]")
_DAYS = re.compile("%-?[djaAuwxD]")
_WEEKS = re.compile("%-?[VUW]")
_MONTHS = re.compile("%-?[mbB]")


def _is_timed(form: str) -> bool:
    return bool(_HOURS.search(form))


def _known_to(form: str) -> str:
    """The finest part of a date that a format without an hour names."""
    for unit, parts in (("day", _DAYS), ("week", _WEEKS), ("month", _MONTHS)):
        if parts.search(form):
            return unit
    return "year"


def _fits(formats: list[str], text: str) -> str:
    return f"{wall_of(formats, text)} IS NOT NULL"


def has_time(formats: list[str], text: str) -> str:
    """TRUE where a text that one of `formats` fits names the hour, and so is known to the minute.

    A sign that all formats with an hour have and no other tells it without reading again.
    """
    timed = [form for form in formats if _is_timed(form)]
    dates = [form for form in formats if form not in timed]
    if not timed or not dates:
        return "TRUE" if timed else "FALSE"
    common = [mark for mark in _marks(timed[0]) if all(mark in _marks(form) for form in timed)]
    telling = [mark for mark in common if not any(mark in _marks(form) for form in dates)]
    if any(map(_ISO_JOINT.search, timed)):
        telling = [mark for mark in telling if mark != "T"]  # for which a space is read as well
    for mark in telling:
        plain_date = _NUMBERED_DATE if mark.isalpha() else _NAMED_DATE
        if all(plain_date.fullmatch(form) for form in dates):
            return f"contains({text}, {literal(mark)})"
    plain = [form.replace("%z", "") for form in timed if "%z" in form or _ISO.fullmatch(form)]
    stripped = f"regexp_replace({text}, '([zZ]|[+-][0-9:]+)$', '')"
    local = [form for form in timed if "%z" not in form]
    tests = [f"{wall_of(local, text)} IS NOT NULL"] if local else []
    tests += [f"{wall_of(plain, stripped)} IS NOT NULL"] if plain else []
    return "(" + " OR ".join(tests) + ")"


# Dates in which no directive can stand for a sign; one with a name of a month, for a letter.
_NUMBERED_DATE = re.compile(r"(%-?[dmYyj]|[^%])*")
_NAMED_DATE = re.compile(r"(%-?[dmYyjbBaA]|[^%])*")


def _marks(form: str) -> list[str]:
    """The signs that a text of this format has to contain; spaces, which DuckDB forgives, not."""
    return [sign for sign in re.sub(r"%-?.", "", form) if not sign.isspace() and sign != "%"]


def typed_value(
    feed: Feed, mapping: Mapping, column: Column, text: str, *, is_angle: bool = False
) -> str:
    """The typed value of `text` for a column that needs no join; NULL where it cannot be read."""
    kind = column.duckdb_type
    if is_angle and mapping.notation == "dms":
        return f"read_dms({text})"
    if kind in _INTEGERS or kind == "DOUBLE":
        return number_of(feed, mapping, column, text)
    if kind == "BOOLEAN":
        return f"read_truth({text})"
    if kind == "DATE":
        return f"{wall_of(formats_of(feed, mapping)[1], text)}::DATE"
    if kind == "VARCHAR":
        return f"read_identifier({text})" if _becomes_token(column) else text
    raise ValueError(f"{column.name}: no reader for {kind}")


def fixed_value(mapping: Mapping, column: Column) -> str:
    """The declared constant of a mapping, in the column's type."""
    return f"CAST({literal(mapping.value)} AS {column.duckdb_type})"


def named_zone(mapping: Mapping) -> str:
    """The zone that a mapping names itself; empty where the place or the text decides."""
    return "" if mapping.time_zone in ("", "place", "offset") else mapping.time_zone


def position_of(mapping: Mapping, decimal: str, text: str) -> str:
    """The struct {latitude_deg, longitude_deg} of one text that holds both."""
    if decimal != "." and mapping.notation in ("decimal", "utm"):
        text = f"replace({text}, {literal(decimal)}, '.')"
    return f"read_position_{mapping.notation}({text})"

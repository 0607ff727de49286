"""The same work with polars and pandera, all rows in memory at once.

Not here: history, a report for the provider. Rules on columns that the feed lacks are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from benchmarks import deliver
from benchmarks.codes import (
    BLANK,
    CODED,
    CONSTANTS,
    COORDINATES,
    COUNTS,
    DAYS,
    FIRST_ROW,
    HIDDEN,
    READ,
    Codes,
    load_codes,
)
from benchmarks.row_rules import WHOLE_ROW, rules_of
from benchmarks.work import Steps, Work
from schemas.contract import Rule

os.environ.setdefault("PANDERA_VALIDATION_DEPTH", "SCHEMA_AND_DATA")
CODES: list[Codes] = []
NUMBER = r"^[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)$"
WHOLE = r"^[+-]?[0-9]{1,18}(?:[.]0{0,2})?$"


def prepare(work: Work) -> None:
    """The code lists, as for the others."""
    import pandera.polars  # noqa: F401

    deliver.import_delta()
    CODES.append(load_codes(work))


def run(work: Work, step: Steps) -> None:
    """Read as text, type, look up and derive; judge with pandera; write."""
    import duckdb

    codes = CODES[0]
    work.folder.mkdir(parents=True, exist_ok=True)
    texts = _read(work)
    step("read")
    rows = _derived(_placed(_typed(texts), texts, codes), codes).collect()
    del texts
    step("harmonise")
    failed = _judge(rows, codes)
    step("judge")
    _write(work, rows, failed)
    step("write")
    del rows
    with duckdb.connect() as connection:
        deliver.publish(work, connection)
    step("publish")


def _read(work: Work) -> pl.DataFrame:
    rows = pl.read_csv(work.csv, separator=";", infer_schema=False, null_values=["", *BLANK])
    texts = rows.columns
    content = [column for column in texts if column not in {"PV", "Signalé le"}]
    return (
        rows.with_row_index("source_row", offset=FIRST_ROW)
        .unique(subset=texts, keep="first", maintain_order=True)
        .with_columns(
            pl.col("source_row").cast(pl.Int64),
            pl.len().over(content).alias("same_event_records"),
        )
    )


def _typed(texts: pl.DataFrame) -> pl.LazyFrame:
    """The texts of the delivery beside the columns of the contract, but for places and UTC."""
    text = {t: pl.col(column) for t, column in (CODED | COORDINATES | COUNTS).items()}
    text["occurred_at"] = pl.concat_str("Date", "Heure", separator=" ", ignore_nulls=True)
    text["occurred_at"] = text["occurred_at"].replace("", None)
    text["reported_at"] = pl.col("Signalé le")
    made = {"source_record_id": pl.col("PV"), "place_text": pl.col("Lieu")}
    made["offence_text"] = pl.col("Nature")
    for target in COORDINATES:
        number = pl.when(text[target].str.contains(NUMBER)).then(text[target])
        made[target] = number.cast(pl.Float64, strict=False)
    for target in COUNTS:
        digits = pl.when(text[target].str.contains(WHOLE)).then(text[target])
        whole = digits.str.split(".").list.first().str.strip_prefix("+").cast(pl.Int64)
        made[target] = pl.when(whole.abs() < 1_000_000_000).then(whole).cast(pl.Int32)
    for target in ("occurred_at", "reported_at"):
        made[f"{target}__wall"] = _wall(text[target])
    listed = [sql.alias(f"{target}__text") for target, sql in text.items()]
    return texts.lazy().select(
        "source_row", "same_event_records", *listed, **made
    )  # the other texts are no longer needed


def _wall(text: pl.Expr) -> pl.Expr:
    parse: Callable[..., pl.Expr] = partial(text.str.to_datetime, strict=False, time_unit="us")
    return (
        pl.when(text.str.contains(":", literal=True))
        .then(parse("%d/%m/%Y %H:%M"))
        .otherwise(parse("%d/%m/%Y"))
    )


def _placed(rows: pl.LazyFrame, texts: pl.DataFrame, codes: Codes) -> pl.LazyFrame:
    """The codes of the distinct texts; areas by country and date; UTC by the zone of the place."""
    words = {}
    for target, column in CODED.items():
        raws = texts.select(pl.col(column).drop_nulls().unique().alias("raw")).to_arrow()
        words[target] = pl.from_arrow(codes.words(target, raws)).lazy()
    for target in ("country", "offence_code"):
        named = words[target].rename({"raw": f"{target}__text", "code": target})
        rows = rows.join(named, on=f"{target}__text", how="left")
    areas = words["admin1_code"].rename(
        {"raw": "admin1_code__text", "scope": "country", "code": "admin1_code"}
    )
    date = pl.col("occurred_at__wall").fill_null(pl.datetime(9999, 1, 1)).cast(pl.Date)
    meant = (
        rows.select("source_row", "admin1_code__text", "country", day=date)
        .join(areas, on=["admin1_code__text", "country"])
        .filter(pl.col("day").is_between("valid_from", "valid_to", closed="left"))
        .select("source_row", "admin1_code")
    )
    lands, known = pl.from_arrow(codes.countries).lazy(), pl.from_arrow(codes.areas).lazy()
    zone = pl.coalesce("area_time_zone", "land_time_zone", pl.lit("UTC"))
    zones = {*codes.offsets["zone"].to_pylist()} & _near(codes)
    return (
        rows.join(meant, on="source_row", how="left")
        .join(known, left_on="admin1_code", right_on="code", how="left")
        .join(lands, left_on="country", right_on="code", how="left")
        .with_columns(time_zone=zone)
        .with_columns(_utc("occurred_at", zones), _utc("reported_at", zones))
        .with_columns(pl.col(f"{m}__wall").dt.truncate("1d").alias(d) for m, d in DAYS.items())
    )


def _near(codes: Codes) -> set[str]:
    """The time zones of the three countries that the feed may speak of."""
    partners = {"CAF", "COD", "SSD"}
    found = pl.from_arrow(codes.areas).filter(pl.col("admin1_country").is_in(partners))
    lands = pl.from_arrow(codes.countries).filter(pl.col("code").is_in(partners))
    return {*found["area_time_zone"], *lands["land_time_zone"], "UTC"} - {None}


def _utc(target: str, zones: set[str]) -> pl.Expr:
    """Zone by zone; of a wall time that occurs twice, the earlier."""
    wall, zone = pl.col(f"{target}__wall"), pl.col("time_zone")
    parts = [
        pl.when(zone == one)
        .then(wall)
        .dt.replace_time_zone(one, ambiguous="earliest", non_existent="null")
        .dt.convert_time_zone("UTC")
        .dt.replace_time_zone(None)
        for one in sorted(zones)
    ]
    has_time = pl.col(f"{target}__text").str.contains(":", literal=True)
    return pl.when(has_time).then(pl.coalesce(parts)).alias(target)


def _derived(rows: pl.LazyFrame, codes: Codes) -> pl.LazyFrame:
    sensitive = pl.col("offence_code").is_in(codes.sexual).fill_null(value=False)
    timed, y = pl.col("occurred_on").is_not_null(), pl.col("latitude_deg")
    text = pl.col("occurred_at__text")
    rows = _fenced(rows, codes).with_columns(
        *(
            pl.when(pl.col(DAYS.get(t, t)).is_null())
            .then(pl.col(f"{t}__text"))
            .alias(f"{t}__unread")
            for t in READ
        ),
        same_event_records=pl.when(timed).then("same_event_records"),
        location_precision=pl.when(y.is_not_null())
        .then(pl.lit("exact"))
        .when(pl.col("admin1_code").is_not_null())
        .then(pl.lit("admin1")),
        occurred_at_precision=pl.when(timed).then(
            pl.when(text.str.contains(":", literal=True))
            .then(pl.lit("minute"))
            .otherwise(pl.lit("day"))
        ),
        occurred_at_text=text,
        is_sensitive=sensitive,
        handling=pl.when(sensitive)
        .then(pl.lit("STRICTLY_CONFIDENTIAL"))
        .otherwise(pl.lit("CONFIDENTIAL")),
        record_id=pl.lit(CONSTANTS["source"] + ":") + pl.col("source_record_id"),
    )
    shown = [pl.when(~pl.col("is_sensitive")).then(pl.col(c)).alias(c) for c in HIDDEN]
    return rows.with_columns(shown)


def _fenced(rows: pl.LazyFrame, codes: Codes) -> pl.LazyFrame:
    x, y = pl.col("longitude_deg"), pl.col("latitude_deg")
    can_lie = (y.abs() <= 90) & (x.abs() <= 180) & ~((y == 0) & (x == 0))
    cell = ((y + 90) * 10).floor() * 3600 + ((x + 180) * 10).floor()
    cells = pl.from_arrow(codes.fence.cells).lazy()
    rows = rows.with_columns(cell=cell.cast(pl.Int32, strict=False)).join(
        cells, on="cell", how="left"
    )
    answers = []
    for level, code, known in (
        ("country", "country", codes.fence.countries),
        ("admin1", "admin1_code", codes.fence.areas),
    ):
        is_judged = (can_lie & pl.col(code).is_in(known)).fill_null(value=False)
        is_inside = pl.col(f"{level}_codes").list.contains(pl.col(code)).fill_null(value=False)
        answers.append((is_judged & is_inside).alias(f"is_inside_{level}"))
        answers.append((is_judged & ~is_inside).alias(f"is_outside_{level}"))
    return rows.with_columns(answers).drop("country_codes", "admin1_codes")


# --- judging -----------------------------------------------------------------------------------


def _judge(rows: pl.DataFrame, codes: Codes) -> pl.DataFrame:
    """What pandera finds, by row: the codes of errors (`reasons`) and warnings."""
    import pandera.polars as pandera
    from pandera.errors import SchemaErrors

    rules = rules_of(codes.contract)
    checks = [
        pandera.Check(partial(_passes, fails=_form(rule)), name=rule.code, error=rule.code)
        for rule in rules
    ]
    schema = pandera.DataFrameSchema({"source_row": pandera.Column(pl.Int64, checks=checks)})
    try:
        schema.validate(rows, lazy=True)
        cases = pl.DataFrame(schema={"failure_case": pl.String, "check": pl.String})
    except SchemaErrors as errors:
        cases = errors.failure_cases
    severity = {rule.code: rule.severity for rule in rules}
    found = cases.select(
        pl.col("failure_case").cast(pl.Int64).alias("source_row"),
        pl.col("check").alias("code"),
        pl.col("check").replace_strict(severity).alias("severity"),
    )
    lists = [
        pl.col("code").filter(pl.col("severity") == kind).alias(column)
        for kind, column in (("error", "reasons"), ("warning", "quality_flags"))
    ]
    return found.group_by("source_row").agg(lists)


def _passes(data: Any, fails: pl.Expr) -> pl.LazyFrame:
    passed: pl.LazyFrame = data.lazyframe.select(~fails.fill_null(value=False))
    return passed


class _Columns:
    def __getitem__(self, column: str) -> pl.Expr:
        return pl.col(column)


def _form(rule: Rule) -> pl.Expr:
    """The rule as an expression that is true for a row that fails it."""
    if rule.code in WHOLE_ROW:
        fails: pl.Expr = WHOLE_ROW[rule.code](_Columns(), pl.Expr.is_null)
        return fails
    given = rule.kwargs
    column = pl.col(given.get("column", given.get("column_A")))
    low, high = given.get("min_value"), given.get("max_value")
    if rule.expectation == "expect_column_values_to_be_null":
        return column.is_not_null()
    if rule.expectation == "expect_column_values_to_be_in_set":
        return ~column.is_in(given["value_set"])
    if rule.expectation == "expect_column_values_to_match_regex":
        return ~column.str.contains(given["regex"])
    if rule.expectation == "expect_column_values_to_be_unique":
        return column.is_not_null() & column.is_duplicated()
    if rule.expectation == "expect_column_pair_values_a_to_be_greater_than_b":
        return column < pl.col(given["column_B"])
    if rule.expectation == "expect_column_value_lengths_to_be_between":
        return ~column.str.len_chars().is_between(low, high)
    if isinstance(low, str):
        low = pl.lit(low).str.to_datetime("%Y-%m-%d", time_unit="us")
    bounds = [column < low] if low is not None else []
    return pl.any_horizontal(*bounds, *([column > high] if high is not None else []))


# --- writing -----------------------------------------------------------------------------------


def _write(work: Work, rows: pl.DataFrame, failed: pl.DataFrame) -> None:
    schema = deliver.schema()
    constants = {c: pl.lit(value) for c, value in CONSTANTS.items()}
    none = pl.lit([], dtype=pl.List(pl.String))
    judged = (
        rows.lazy()
        .join(failed.lazy(), on="source_row", how="left")
        .with_columns(pl.col("reasons", "quality_flags").fill_null(none), **constants)
    )
    absent = [c for c in schema.names if c not in judged.collect_schema().names()]
    judged = judged.with_columns(pl.lit(None).alias(c) for c in absent).select(schema.names)
    is_accepted = pl.col("reasons").list.len() == 0
    accepted, quarantined = (
        pa.table(judged.filter(part).collect()).cast(schema) for part in (is_accepted, ~is_accepted)
    )
    deliver.write_parts(work, accepted, quarantined)

"""The same work with pandas and Great Expectations on pandas, as most teams would build it first.

Not here: history, a report for the provider. Rules on columns that the feed lacks are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
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

CODES: list[Codes] = []
NUMBER = r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)"
WHOLE = r"[+-]?[0-9]{1,18}(?:[.]0{0,2})?"
RESULT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}


def prepare(work: Work) -> None:
    """The code lists, as for the others."""
    deliver.import_delta()
    CODES.append(load_codes(work))


def run(work: Work, step: Steps) -> None:
    """Read as text, type, look up and derive by column; judge with Great Expectations; write."""
    import duckdb

    codes = CODES[0]
    work.folder.mkdir(parents=True, exist_ok=True)
    rows = _read(work)
    step("read")
    rows = _typed(rows, codes)
    step("harmonise")
    failed = _judge(rows, codes)
    step("judge")
    _write(work, rows, failed, codes)
    step("write")
    del rows
    with duckdb.connect() as connection:
        deliver.publish(work, connection)
    step("publish")


def _read(work: Work) -> pd.DataFrame:
    rows = pd.read_csv(
        work.csv, sep=";", dtype="str", keep_default_na=False, na_values=["", *BLANK]
    )
    rows["source_row"] = np.arange(len(rows)) + FIRST_ROW
    texts = [column for column in rows if column != "source_row"]
    rows = rows[~rows.duplicated(subset=texts)].reset_index(drop=True)
    content = [column for column in texts if column not in {"PV", "Signalé le"}]
    same = rows.groupby(content, dropna=False, sort=False)["source_row"].transform("size")
    rows["same_event_records"] = same
    return rows


def _typed(rows: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    """The texts of the delivery as the columns of the contract, and what the rules look at."""
    made: dict[str, Any] = {"source_row": rows["source_row"], "source_record_id": rows["PV"]}
    made |= {"place_text": rows["Lieu"], "offence_text": rows["Nature"]}
    texts = {target: rows[column] for target, column in (CODED | COORDINATES | COUNTS).items()}
    texts["occurred_at"] = (rows["Date"].fillna("") + " " + rows["Heure"].fillna("")).str.strip()
    texts["occurred_at"] = texts["occurred_at"].replace("", np.nan)
    texts["reported_at"] = rows["Signalé le"]
    for target in COORDINATES:
        is_number = texts[target].str.fullmatch(NUMBER).fillna(value=False).astype(bool)
        made[target] = pd.to_numeric(texts[target].where(is_number))
    for target in COUNTS:
        is_whole = texts[target].str.fullmatch(WHOLE).fillna(value=False).astype(bool)
        whole = pd.to_numeric(texts[target].where(is_whole))
        made[target] = whole.where(whole.abs() < 1_000_000_000)
    walls = {target: _wall(texts[target]) for target in ("occurred_at", "reported_at")}
    made |= _coded(codes, texts, walls["occurred_at"])
    areas = codes.areas.to_pandas().set_index("code")
    made["admin1_country"] = made["admin1_code"].map(areas["admin1_country"])
    for bound in ("admin1_valid_from", "admin1_valid_to"):
        made[bound] = made["admin1_code"].map(pd.to_datetime(areas[bound]))
    lands = codes.countries.to_pandas().set_index("code")["land_time_zone"]
    zone = made["admin1_code"].map(areas["area_time_zone"])
    made["time_zone"] = zone.fillna(made["country"].map(lands)).fillna("UTC")
    for target, wall in walls.items():
        has_time = texts[target].str.contains(":", regex=False).fillna(value=False).astype(bool)
        made[DAYS[target]] = wall.dt.normalize()
        made[target] = _utc(wall, made["time_zone"]).where(has_time)
    made["same_event_records"] = rows["same_event_records"].where(made["occurred_on"].notna(), 1)
    for target in READ:
        made[f"{target}__unread"] = texts[target].where(made[DAYS.get(target, target)].isna())
    made["occurred_at_text"] = texts["occurred_at"]
    return _derived(pd.DataFrame(made), codes)


def _coded(codes: Codes, texts: dict[str, pd.Series], wall: pd.Series) -> dict[str, pd.Series]:
    """The codes of the distinct texts, mapped; of areas by country and date."""
    words = {}
    for target in CODED:
        raws = pa.table({"raw": pa.array(texts[target].dropna().unique(), pa.string())})
        words[target] = codes.words(target, raws).to_pydict()
    made = {}
    for target in ("country", "offence_code"):
        by_text = dict(zip(words[target]["raw"], words[target]["code"], strict=True))
        made[target] = texts[target].map(by_text).astype("str")
    date = wall.fillna(pd.Timestamp("9999-01-01"))
    found = pd.Series(np.nan, index=wall.index, dtype="str")
    by_period: dict[tuple[Any, Any], dict[tuple[str, str], str]] = {}
    listed = (words["admin1_code"][c] for c in ("raw", "scope", "code", "valid_from", "valid_to"))
    for raw, scope, code, since, until in zip(*listed, strict=True):
        by_period.setdefault((since, until), {})[(raw, scope)] = code
    keys = pd.MultiIndex.from_arrays([texts["admin1_code"], made["country"]])
    for (since, until), by_name in by_period.items():
        mapped = pd.Series(by_name).reindex(keys).to_numpy()
        is_meant = date.ge(pd.Timestamp(since)) & date.lt(pd.Timestamp(until))
        found = found.mask(is_meant & pd.notna(mapped), pd.Series(mapped, index=wall.index))
    return made | {"admin1_code": found}


def _wall(text: pd.Series) -> pd.Series:
    has_time = text.str.contains(":", regex=False).fillna(value=False).astype(bool)
    day = pd.to_datetime(text.where(~has_time), format="%d/%m/%Y", errors="coerce")
    timed = pd.to_datetime(text.where(has_time), format="%d/%m/%Y %H:%M", errors="coerce")
    return timed.astype("datetime64[us]").fillna(day.astype("datetime64[us]"))


def _utc(wall: pd.Series, zones: pd.Series) -> pd.Series:
    """Zone by zone; of a wall time that occurs twice, the earlier."""
    parts = []
    for zone, part in wall.groupby(zones, sort=False):
        first = np.ones(len(part), dtype=bool)
        local = part.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
        parts.append(local.dt.tz_convert("UTC").dt.tz_localize(None))
    return pd.concat(parts).reindex(wall.index)


def _derived(rows: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    x, y = rows["longitude_deg"], rows["latitude_deg"]
    can_lie = y.abs().le(90) & x.abs().le(180) & ~(y.eq(0) & x.eq(0))
    cell = ((y + 90) * 10).floordiv(1) * 3600 + ((x + 180) * 10).floordiv(1)
    fenced = codes.fence.cells.to_pandas().set_index("cell")
    for level, code, known in (
        ("country", rows["country"], codes.fence.countries),
        ("admin1", rows["admin1_code"], codes.fence.areas),
    ):
        pairs = pd.MultiIndex.from_frame(fenced[f"{level}_codes"].explode().reset_index())
        here = pd.MultiIndex.from_arrays([cell.where(can_lie, -1).astype("int64"), code])
        is_judged, is_inside = can_lie & code.isin(known), here.isin(pairs)
        rows[f"is_inside_{level}"] = is_judged & is_inside
        rows[f"is_outside_{level}"] = is_judged & ~is_inside
    rows["location_precision"] = np.select(
        [y.notna(), rows["admin1_code"].notna()], ["exact", "admin1"], default=""
    )
    rows["location_precision"] = rows["location_precision"].replace("", None)
    has_time = rows["occurred_at_text"].str.contains(":", regex=False).fillna(value=False)
    precision = np.where(has_time.astype(bool), "minute", "day")
    rows["occurred_at_precision"] = pd.Series(precision).where(rows["occurred_on"].notna())
    rows["is_sensitive"] = rows["offence_code"].isin(codes.sexual)
    rows["handling"] = np.where(rows["is_sensitive"], "STRICTLY_CONFIDENTIAL", "CONFIDENTIAL")
    for column in HIDDEN:
        rows[column] = rows[column].mask(rows["is_sensitive"])
    rows["record_id"] = CONSTANTS["source"] + ":" + rows["source_record_id"]
    return rows


# --- judging -----------------------------------------------------------------------------------


def _judge(rows: pd.DataFrame, codes: Codes) -> dict[str, np.ndarray]:
    """By rule, the positions of the rows that fail it, as Great Expectations finds them."""
    rules = rules_of(codes.contract)
    for rule in rules:
        if rule.code in WHOLE_ROW:  # no expectation on pandas can say it: a column of truth values
            fails = WHOLE_ROW[rule.code](rows, pd.isna)
            rows[rule.code] = fails.fillna(value=False).astype(bool)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name="incidents", expectations=[_expectation(r) for r in rules])
    batch = (
        context.data_sources.add_pandas("pandas")
        .add_dataframe_asset("incidents")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": rows})
    )
    found = batch.validate(suite, result_format=RESULT)
    return {
        result.expectation_config.meta["code"]: np.asarray(_positions(result), dtype=np.int64)
        for result in found.results
    }


def _positions(result: Any) -> Iterable[int]:
    if result.exception_info.get("raised_exception"):
        raise RuntimeError(result.exception_info)
    return result.result.get("unexpected_index_list") or []


def _expectation(rule: Rule) -> Any:
    meta = {"code": rule.code}
    if rule.code in WHOLE_ROW:
        return gx.expectations.ExpectColumnValuesToBeInSet(
            column=rule.code, value_set=[False], meta=meta
        )
    kwargs = dict(rule.kwargs)
    if rule.code == "INC-407":
        kwargs["min_value"] = pd.Timestamp(kwargs["min_value"])
    words = re.split("_", rule.expectation)
    name = "".join(word.capitalize() for word in words)
    return getattr(gx.expectations, name)(**kwargs, meta=meta)


# --- writing -----------------------------------------------------------------------------------


def _write(work: Work, rows: pd.DataFrame, failed: dict[str, np.ndarray], codes: Codes) -> None:
    severity = {rule.code: rule.severity for rule in codes.contract.rules}
    lists = {kind: np.full(len(rows), None, dtype=object) for kind in ("error", "warning")}
    for kind, column in lists.items():
        column[:] = [[]] * len(rows)
        for code, positions in failed.items():
            for at in positions if severity[code] == kind else ():
                column[at] = [*column[at], code]
    rows["reasons"], rows["quality_flags"] = lists["error"], lists["warning"]
    for column, value in CONSTANTS.items():
        rows[column] = value
    schema = deliver.schema()
    for column in schema.names:
        if column not in rows:
            rows[column] = None
    is_accepted = rows["reasons"].str.len() == 0
    accepted, quarantined = (
        pa.Table.from_pandas(part[schema.names], schema=schema, preserve_index=False)
        for part in (rows[is_accepted], rows[~is_accepted])
    )
    deliver.write_parts(work, accepted, quarantined)

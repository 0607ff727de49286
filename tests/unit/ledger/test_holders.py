"""Who holds a record: extracts from the private lists, what was done with them from the ledger."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ledger.chain import append
from pipelines.ledger.holders import holdings_of


def list_records(settings, extract_id: str, rows: list[tuple[str, str, str]]) -> None:
    settings.release_records.mkdir(exist_ok=True)
    columns = dict(zip(("record_id", "clause", "form"), zip(*rows, strict=True), strict=True))
    columns["given_as"] = [f"{extract_id}.{record}" for record in columns["record_id"]]
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pq.write_table(table, settings.release_records / f"{extract_id}.parquet")


def make(settings, extract_id: str, recipient: str) -> None:
    details = {"table": "incidents", "recipient": recipient, "purpose": "joint_planning"}
    append(settings, "extract.made", actor="jma.1", subject=extract_id, details=details)


def test_each_extract_with_the_record_is_told_with_its_downloads(place):
    list_records(place, "e.one", [("r1", "caf_minusca/P1", "records"), ("r2", "x/P2", "records")])
    list_records(place, "e.two", [("r1", "dpo/P1", "counts")])
    list_records(place, "e.three", [("r9", "dpo/P1", "counts")])
    for extract_id, recipient in (("e.one", "minusca_unpol"), ("e.two", "dpo_police_division")):
        make(place, extract_id, recipient)
    append(place, "extract.downloaded", actor="jma.2", organisation="m", subject="e.one")
    append(place, "extract.downloaded", actor="jma.3", organisation="m", subject="e.one")

    first, second = holdings_of(place, "r1")
    assert (first.extract_id, first.clause, first.form) == ("e.one", "caf_minusca/P1", "records")
    assert (first.table, first.recipient, first.made_by) == ("incidents", "minusca_unpol", "jma.1")
    assert [download.by for download in first.downloads] == ["jma.2", "jma.3"]
    assert (second.extract_id, second.form, second.downloads) == ("e.two", "counts", ())
    assert [one.extract_id for one in holdings_of(place, "r9")] == ["e.three"]
    assert holdings_of(place, "r' OR 1=1 --") == []


def test_a_record_is_found_by_the_name_that_one_file_gives_it(place):
    """What turns up somewhere holds a token; who else has that record is asked with it."""
    list_records(place, "e.one", [("r1", "x/P1", "records"), ("r2", "x/P1", "records")])
    list_records(place, "e.two", [("r1", "y/P1", "records")])
    assert [one.extract_id for one in holdings_of(place, "e.one.r1")] == ["e.one", "e.two"]
    assert [one.extract_id for one in holdings_of(place, "e.one.r2")] == ["e.one"]


def test_a_record_is_found_by_its_number_in_any_spelling(place):
    list_records(place, "e.one", [("cod_pnc:PNC/CD72/12", "x/P1", "records")])
    for asked in ("cod_pnc:PNC/CD72/12", "cod_pnc:pnc/cd72/12", "cod_pnc: PNC/CD72/\u200e12"):
        assert [one.extract_id for one in holdings_of(place, asked)] == ["e.one"], asked
    assert holdings_of(place, "cod_pnc:PNC/CD72/13") == []


def test_without_any_extract_nobody_holds_anything(place):
    assert holdings_of(place, "r1") == []


def test_an_extract_without_its_entry_is_told_all_the_same(place):
    list_records(place, "e.lost", [("r1", "x/P1", "records")])
    [one] = holdings_of(place, "r1")
    assert (one.extract_id, one.made_at, one.made_by, one.recipient) == ("e.lost", None, "", "")

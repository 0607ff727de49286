"""Publishing: what is taken in, once, and what readers then see."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from pipelines import connect
from pipelines.core.settings import settings_for
from pipelines.lake.errors import LakeError, NothingPublishedError
from pipelines.lake.maintenance import check, compact, vacuum
from pipelines.lake.publish import publish, write_catalogue
from pipelines.landing.reference import LIST_SCHEMA, LOADED_AREAS_FILE
from schemas.contract import load_contract, table_names
from tests.unit.lake.judged import content, deliver, interrupt, row, write_rows


def test_rows_reach_the_table_with_the_columns_of_the_contract_and_no_other(settings):
    deliver(settings, "a", [row("1"), row("2", country="COD")], rejected=[])
    publish(settings)
    with connect(settings) as connection:
        rows = connection.execute("FROM incidents ORDER BY record_id").to_arrow_table()
    assert rows.column_names == [c.name for c in load_contract("incidents").published]
    assert rows.column("record_id").to_pylist() == ["caf_gendarmerie:1", "caf_gendarmerie:2"]
    assert rows.column("country").to_pylist() == ["CAF", "COD"]
    assert rows.column("revision").to_pylist() == [1, 1]


def test_publishing_twice_changes_nothing(settings):
    deliver(settings, "a", [row("1")])
    first = publish(settings)
    before = content(settings)
    again = publish(settings)
    assert (first.rows["incidents"], first.is_catalogue_new) == (1, True)
    assert (again.deliveries, again.is_catalogue_new) == ((), False)
    assert content(settings) == before


def test_a_correction_replaces_and_history_keeps(settings):
    deliver(settings, "a", [row("1"), row("2")])
    publish(settings)
    deliver(settings, "b", [row("1", "corrected", occurred_on=dt.date(2025, 12, 31))], day=3)
    publish(settings)
    with connect(settings) as connection:
        assert connection.execute(
            "SELECT source_record_id, offence_text, revision FROM incidents ORDER BY ALL"
        ).fetchall() == [("1", "corrected", 2), ("2", "as first told", 1)]
        assert connection.execute(
            "SELECT offence_text, revision, known_from, known_to, is_latest "
            "FROM incidents_history WHERE source_record_id = '1' ORDER BY revision"
        ).fetchall() == [
            ("as first told", 1, dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 4), False),
            ("corrected", 2, dt.datetime(2026, 1, 4), None, True),
        ]


def test_a_withdrawal_leaves_the_table_and_stays_in_history(settings):
    deliver(settings, "a", [row("1"), row("2")])
    deliver(settings, "b", [row("1", is_withdrawn=True)], day=1)
    publish(settings)
    found = content(settings)
    assert [one[2] for one in found["incidents"]] == ["2"]
    assert len(found["incidents_history"]) == 3


def test_a_record_that_does_not_say_whether_it_is_withdrawn_is_shown(settings):
    deliver(settings, "a", [row("1", is_withdrawn=None)])
    publish(settings)
    with connect(settings) as connection:
        for table in ("incidents", "incidents_as_of(TIMESTAMP '2026-02-01')"):
            query = f"SELECT source_record_id FROM {table}"
            assert connection.execute(query).fetchall() == [("1",)]


def test_only_the_deliveries_named_are_published(settings):
    a = deliver(settings, "a", [row("1")])
    deliver(settings, "b", [row("2")])
    assert publish(settings, [a]).deliveries == (a,)
    assert len(content(settings)["incidents"]) == 1
    with pytest.raises(LakeError, match="No verdict for nobody"):
        publish(settings, ["nobody"])


def test_a_refused_delivery_is_accounted_for_and_brings_no_rows(settings):
    refused = deliver(settings, "a", [row("1")], state="refused", findings=["DEL-703"])
    publish(settings)
    found = content(settings)
    assert found["incidents"] == []
    assert [one[0] for one in found["deliveries"]] == [refused]
    assert [(one[0], one[3], one[4]) for one in found["rejections"]] == [(refused, None, "DEL-703")]


def test_a_delivery_that_could_not_be_read_has_no_counts_and_harms_nobody(settings):
    deliver(settings, "unread", [], state="refused", findings=["DEL-702"])
    verdict = next(Path(settings.landing.path).glob("*/unread/verdict.json"))
    verdict.write_text(re.sub(r'("rows_\w+"): 0', r"\1: null", verdict.read_text()))
    deliver(settings, "b", [row("1")])
    publish(settings)
    compact(settings)
    with connect(settings) as connection:
        assert connection.execute("SELECT rows_read FROM deliveries ORDER BY ALL").fetchall() == [
            (1,),
            (None,),
        ]
    assert check(settings) == []


def test_rejections_name_row_rule_and_column_and_hold_no_cell(settings):
    rejected = [row("9", reasons=["INC-101", "INC-102"]), row("8", reasons=["INC-101"])]
    delivery = deliver(settings, "a", [row("1")], rejected=rejected)
    publish(settings)
    rule = load_contract("incidents").rule("INC-101")
    rows = content(settings)["rejections"]
    assert len(rows) == 3
    assert rows[0] == (
        delivery, "caf_gendarmerie_incidents", "incidents", 2, "INC-101", "error", rule.column,
    )  # fmt: skip


@pytest.mark.parametrize(
    "fault", ["another number of rows", "no file", "not a Parquet file", "half a verdict"]
)
def test_a_delivery_that_is_not_what_its_verdict_says_is_left_out_alone(settings, fault):
    wrong = deliver(settings, "wrong", [row("1")])
    right = deliver(settings, "right", [row("2")])
    file = next(Path(settings.landing.path).glob("*/wrong/accepted.parquet"))
    if fault == "no file":
        file.unlink()
    elif fault == "not a Parquet file":
        file.write_bytes(b"PAR1 no more")
    elif fault == "half a verdict":
        file.with_name("verdict.json").write_text('{"delivery_id"')
    else:
        write_rows(file, "incidents", [row("1"), row("3")])
    done = publish(settings)
    assert done.deliveries == (right,)
    assert fault == "half a verdict" or wrong in done.left_out[wrong]
    assert [one[0] for one in content(settings)["deliveries"]] == [right]
    assert [problem.table for problem in check(settings)] == ["deliveries"]
    with pytest.raises(LakeError, match=wrong):
        publish(settings, [wrong])


@pytest.mark.parametrize("is_all_damaged", [False, True])
def test_what_was_begun_and_damaged_since_keeps_nobody_waiting(
    settings, monkeypatch, is_all_damaged
):
    wrong = deliver(settings, "wrong", [row("1")], rejected=[row("9", reasons=["INC-101"])])
    interrupt(settings, monkeypatch, "publish_rejections")
    right = deliver(settings, "right", [row("2")])
    [folder] = Path(settings.landing.path).glob("*/wrong")
    whole = (folder / "quarantined.parquet").read_bytes()
    (folder / "quarantined.parquet").write_bytes(b"PAR1 no more")
    if is_all_damaged:
        (folder / "accepted.parquet").unlink()
    done = publish(settings)
    assert done.deliveries == (right,)
    assert list(done.left_out) == [wrong]
    compact(settings)
    vacuum(settings, is_dry_run=False)
    assert [one for one in check(settings) if wrong not in one.text()] == []
    assert any("quarantined.parquet" in one.text() for one in check(settings))
    with pytest.raises(LakeError, match=wrong):
        publish(settings, [wrong])
    (folder / "quarantined.parquet").write_bytes(whole)
    assert publish(settings).deliveries == (wrong,)
    assert check(settings) == []
    assert len(content(settings)["incidents"]) == 2


def test_a_file_that_the_lake_took_in_already_is_needed_no_more(settings, monkeypatch):
    delivery = deliver(settings, "a", [row("1")], rejected=[row("9", reasons=["INC-101"])])
    interrupt(settings, monkeypatch, "publish_deliveries")
    for file in Path(settings.landing.path).glob("*/a/*.parquet"):
        file.unlink()
    assert publish(settings).deliveries == (delivery,)
    assert check(settings) == []
    assert [one[0] for one in content(settings)["rejections"]] == [delivery]


@pytest.mark.parametrize("is_interrupted", [True, False])
def test_another_verdict_takes_the_place_of_a_refusal(settings, monkeypatch, is_interrupted):
    """Also where the refusal was on its way into the lake, and was never listed."""
    mended = deliver(settings, "a", [row("1")], state="refused", findings=["DEL-726"])
    other = deliver(settings, "b", [row("2")], state="refused", findings=["DEL-703"])
    if is_interrupted:
        interrupt(settings, monkeypatch, "publish_deliveries")
    else:
        publish(settings)
    deliver(settings, "a", [row("1")])
    publish(settings)
    with connect(settings) as connection:
        states = connection.execute("SELECT delivery_id, state FROM deliveries ORDER BY ALL")
        assert states.fetchall() == [(mended, "accepted"), (other, "refused")]
    found = content(settings)
    assert [one[4] for one in found["rejections"]] == ["DEL-703"]
    assert [one[2] for one in found["incidents"]] == ["1"]
    assert check(settings) == []
    assert publish(settings).deliveries == ()


def test_without_any_publish_there_is_a_sentence_and_not_an_error_of_duckdb(settings):
    with pytest.raises(NothingPublishedError, match="Nothing is published yet"):
        connect(settings)


def test_every_declared_table_is_there_with_its_types_and_words_even_when_empty(settings):
    publish(settings)
    with connect(settings) as connection:
        for table in table_names():
            contract = load_contract(table)
            columns = connection.execute(f"DESCRIBE {table}").fetchall()
            assert [(c[0], c[1]) for c in columns] == [
                (c.name, c.duckdb_type) for c in contract.published
            ]
        uncommented = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL "
            "AND database_name = 'catalog' AND schema_name = 'main' AND table_name <> 'code_labels'"
        ).fetchall()
    assert uncommented == []


def test_the_catalogue_cannot_be_written_to(settings):
    deliver(settings, "a", [row("1")])
    publish(settings)
    assert settings.catalogue.stat().st_mode & 0o777 == 0o400
    with connect(settings) as connection, pytest.raises(duckdb.Error):
        connection.execute("DROP VIEW incidents")


def test_an_open_connection_keeps_its_rows_and_a_new_one_sees_new_rows(settings):
    deliver(settings, "a", [row("1")])
    publish(settings)
    with connect(settings) as old:
        deliver(settings, "b", [row("1", "corrected"), row("2")], day=1)
        publish(settings)
        query = "SELECT count(*) FROM incidents"
        assert old.execute(query).fetchone() == (1,)
        with connect(settings) as new:
            assert new.execute(query).fetchone() == (2,)
        assert old.execute(query).fetchone() == (1,)


def test_the_catalogue_follows_loaded_areas_without_a_publish(settings):
    publish(settings)
    assert write_catalogue(settings) is False
    with connect(settings) as connection:
        (before,) = connection.execute("SELECT count(*) FROM admin_areas").fetchone()
    area = {"code": "CF1101", "parent": "CF11", "label_en": "Bimbo", "label_fr": "Bimbo"}
    shipped_only = {"iso3166_2", "time_zone", "split_from"}
    schema = pyarrow.schema([field for field in LIST_SCHEMA if field.name not in shipped_only])
    loaded = pyarrow.Table.from_pylist([area | {"country": "CAF", "level": 2}], schema)
    settings.reference.mkdir()
    pyarrow.parquet.write_table(loaded, settings.reference / LOADED_AREAS_FILE)
    assert write_catalogue(settings) is True
    with connect(settings) as connection:
        (after,) = connection.execute("SELECT count(*) FROM admin_areas").fetchone()
        assert connection.execute("SELECT label('admin_areas', 'CF1101')").fetchone() == ("Bimbo",)
    assert after == before + 1


def test_codes_have_words_in_both_languages(settings):
    publish(settings)
    with connect(settings) as connection:
        said = connection.execute(
            "SELECT label('sexes', 'female'), label('sexes', 'female', lang := 'fr'), "
            "label('sexes', 'no such code')"
        ).fetchone()
    assert said is not None
    assert said[0] and said[1] and said[0] != said[1] and said[2] is None


def test_a_home_may_have_spaces_accents_and_apostrophes_in_its_name(tmp_path):
    settings = settings_for(tmp_path / "données du poste, l'été #1").prepare()
    deliver(settings, "a", [row("1"), row("2")], rejected=[])
    publish(settings)
    deliver(settings, "b", [row("1", "corrected"), row("3")], day=3)
    publish(settings)
    compact(settings)
    vacuum(settings, keep_days=0, is_dry_run=False)
    with connect(settings) as connection:
        assert connection.execute("SELECT count(*) FROM incidents").fetchone() == (3,)
    assert check(settings) == []


def test_a_home_that_delta_cannot_find_again_is_refused_before_anything_is_written(tmp_path):
    settings = settings_for(tmp_path / "a%20b").prepare()
    deliver(settings, "a", [row("1")])
    with pytest.raises(LakeError, match="another folder"):
        publish(settings)
    assert not list(Path(settings.lake).rglob("*.json"))

"""The agreements that are shipped: sound, different, and no wider than they look.

Not here: the reader and the search for mistakes (`tests/unit/schemas/test_agreement*.py`), and what
an extract by them holds (`tests/property/test_agreements.py`).
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipelines.core.errors import WORDS
from pipelines.release.policy.dimensions import is_open
from schemas.agreement import (
    AGES,
    AGREEMENTS_FOLDER,
    AREAS,
    TIME_DIMENSIONS,
    TIMES,
    Agreement,
    Permit,
    Precision,
)
from schemas.agreement_check import problems
from schemas.agreement_columns import too_fine
from schemas.agreement_folder import agreement_files, load_agreement, load_agreements
from schemas.codelist import load_codelist
from schemas.contract import load_contract, table_names
from schemas.feed import feed_names, load_feed
from schemas.organisation import is_security_force, organisations, purposes, sources_of
from schemas.render.__main__ import DOCS

DAY = dt.date(2026, 11, 22)
AGREEMENTS = {one.agreement: one for one in load_agreements()}
PERMITS = [permit for one in AGREEMENTS.values() for permit in one.permits]
NAMES = [permit.full_name for permit in PERMITS]
# What anybody can read at the source itself, as records and as counts.
PUBLISHED = {("ucdp_ged", "incidents"): "records", ("dpo_police_division", "deployments"): "counts"}
SCHEMA = json.loads((DOCS / "schemas/agreement.schema.json").read_text(encoding="utf-8"))
NOT_SET_AS_FRENCH_IS = re.compile(r"(?<=\w)'(?=\w)|[^\u202f\d][;!?](?=\s|$)|[^\u00a0\d]:(?=\s|$)")


def others(one: Agreement) -> list[Agreement]:
    return [other for other in AGREEMENTS.values() if other is not one]


def as_json(path: Path) -> Any:
    """A YAML file as a JSON Schema sees it: dates are text."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


def test_all_are_there_and_illustrative() -> None:
    assert sorted(AGREEMENTS) == [
        *("border_three_countries", "caf_minusca", "cod_monusco"),
        *("dpo_reporting", "light_coordination", "police_capabilities"),
        *("public_statistics", "ssd_unmiss"),
    ]
    assert {one.status for one in AGREEMENTS.values()} == {"illustrative"}
    for one in AGREEMENTS.values():
        assert one.legal_reference.en.startswith("Illustrative.")
        assert one.legal_reference.fr.startswith("À titre d’illustration.")


@pytest.mark.parametrize("name", AGREEMENTS)
def test_nothing_is_wrong_with_it(name: str) -> None:
    found = problems(AGREEMENTS[name], as_of=DAY, others=others(AGREEMENTS[name]))
    assert [(one.code, one.where) for one in found if one.level == "error"] == []
    # UCDP’s own number of an event is what its users cite.
    warnings = {(one.code, one.where) for one in found if one.level == "warning"}
    assert warnings <= {("AGR-501", "public_statistics/P2 columns")}


@pytest.mark.parametrize("path", agreement_files(), ids=lambda path: path.stem)
def test_the_json_schema_accepts_it(path: Path) -> None:
    assert [
        error.message for error in Draft202012Validator(SCHEMA).iter_errors(as_json(path))
    ] == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("permitz",), []),
        (("permits", 0, "colums"), ["record_id"]),
        (("permits", 0, "recipients"), ["all"]),
        (("permits", 0, "recipients"), ["nobody"]),
        (("permits", 0, "table"), "deliveries"),
        (("permits", 0, "measures"), ["records"]),
        (("permits", 0, "precision", "area"), "village"),
        (("permits", 0, "delay_days"), -1),
        (("version",), "one"),
        (("permits", 4, "columns"), ["record_id"]),
    ],
)
def test_the_json_schema_refuses_what_the_reader_refuses(
    place: tuple[str | int, ...], value: Any
) -> None:
    raw = as_json(AGREEMENTS_FOLDER / "caf_minusca.yaml")
    here = raw
    for step in place[:-1]:
        here = here[step]
    here[place[-1]] = value
    assert list(Draft202012Validator(SCHEMA).iter_errors(raw))


@pytest.mark.parametrize("key", ["smallest_group", "columns", "onward", "precision", "delay_days"])
def test_the_json_schema_asks_for_each_protection(key: str) -> None:
    raw = as_json(AGREEMENTS_FOLDER / "caf_minusca.yaml")
    del raw["permits"][0][key]
    assert list(Draft202012Validator(SCHEMA).iter_errors(raw))


def test_french_is_set_as_french_is() -> None:
    for one in AGREEMENTS.values():
        words = [one.title.fr, one.legal_reference.fr, *(p.summary.fr for p in one.permits)]
        for text in [*words, *(r.reason.fr for r in one.restrictions)]:
            assert not NOT_SET_AS_FRENCH_IS.search(text), text


@pytest.mark.parametrize("permit", PERMITS, ids=NAMES)
def test_what_is_sensitive_stays(permit: Permit) -> None:
    assert permit.rows.sensitive is False
    assert permit.rows.handling_ceiling != "STRICTLY_CONFIDENTIAL"
    named = {*permit.columns, *permit.dimensions, *permit.measures}
    assert "victims_children" not in named
    assert not {name for name in named if name.endswith(("_token", "_text"))}


@pytest.mark.parametrize("permit", PERMITS, ids=NAMES)
def test_a_security_force_gets_less_and_later_and_only_with_a_review(permit: Permit) -> None:
    if not any(is_security_force(one) for one in permit.recipients):
        return
    assert permit.due_diligence is not None
    is_open_data = permit.rows.handling_ceiling == "UNCLASSIFIED"
    assert permit.delay_days >= 5 or is_open_data
    kinds = {c.name: c.coarsen for c in load_contract(permit.table).published}
    places = {one for one in permit.columns if kinds[one] in ("point", "admin2")}
    assert places <= {"border_point_code"}
    assert "perpetrator_kind" not in permit.columns


def test_everybody_gets_only_what_is_public_or_old_and_coarse() -> None:
    mine = [permit for permit in PERMITS if "public" in permit.recipients]
    assert {permit.agreement for permit in mine} == {"public_statistics"}
    for permit in mine:
        if forms := {PUBLISHED.get((one, permit.table)) for one in permit.providers} - {None}:
            assert forms == {permit.form}
            assert all((one, permit.table) in PUBLISHED for one in permit.providers)
            assert permit.rows.handling_ceiling == "UNCLASSIFIED"
        else:
            assert permit.form == "counts"
            assert (permit.small_cell_threshold or 0) >= 10
            assert permit.precision.area == "country"
            assert permit.delay_days >= 30


def test_headquarters_gets_counts_only_and_south_sudan_gives_no_record() -> None:
    for permit in PERMITS:
        if "dpo_police_division" in permit.recipients or "ssd_ssnps" in permit.providers:
            assert permit.form == "counts"
        if "ssd_ssnps" in permit.recipients:
            pytest.fail("nothing goes to a police whose review is not done")


@pytest.mark.parametrize("name", AGREEMENTS)
def test_each_provider_sends_what_it_shares(name: str) -> None:
    senders = {(feed.source, feed.table) for feed in map(load_feed, feed_names())}
    for permit in AGREEMENTS[name].permits:
        assert {(source, permit.table) for source in permit.providers} <= senders, permit.clause


def test_organisations_and_purposes_are_whole() -> None:
    sources = {row["code"] for row in load_codelist("sources")}
    given = {source for one in organisations() for source in sources_of(one)}
    assert given == sources, "each source is provided by somebody"
    kinds = {one.kind for one in organisations().values()}
    assert kinds == {
        *("un_mission", "un_hq", "national_police", "border_service", "international_organisation"),
        *("research", "public", "operator", "permanent_mission"),
    }
    for code, one in organisations().items():
        assert one.is_security_force == (one.kind in {"national_police", "border_service"}), code
        assert not one.parent or organisations()[one.parent].country == one.country
    assert all(one.description.en and one.description.fr for one in purposes().values())
    for row in load_codelist("organisations"):
        assert row["is_security_force"] in {"true", "false"}


@pytest.mark.parametrize("page", ["agreements.md", "agreements.fr.md"])
def test_the_agreement_of_the_page_passes_its_check(page: str, tmp_path: Path) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    whole = re.findall(r"```yaml\n(agreement:.*?)```", text, re.DOTALL)
    assert len(whole) == 1
    path = tmp_path / "sample_agreement.yaml"
    path.write_text(whole[0], encoding="utf-8")
    found = problems(load_agreement(path), as_of=DAY)
    assert [one.code for one in found if one.level != "note"] == []
    assert list(Draft202012Validator(SCHEMA).iter_errors(as_json(path))) == []


@pytest.mark.parametrize("page", ["agreements.md", "agreements.fr.md"])
def test_the_page_names_every_shipped_agreement_and_every_refusal(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in AGREEMENTS)
    refusals = {int(key.split()[0][4:]) for key in WORDS if key.startswith("REL-")}
    named = {int(number) for number in re.findall(r"REL-(\d{3})", text)} | {102, 103}
    assert refusals <= named, "a refusal that the page does not explain"


def test_the_check_and_the_query_judge_a_period_alike() -> None:
    """What `agreement check` calls too fine is just what no count can be broken down by."""
    first = AGREEMENTS["caf_minusca"].permits[0]
    for table in table_names("data"):
        contract = load_contract(table)
        for area, time, age in itertools.product(AREAS, TIMES, AGES):
            precision = Precision.model_validate({"area": area, "time": time, "age": age})
            for period in TIME_DIMENSIONS:
                permit = first.model_copy(update={"precision": precision, "dimensions": (period,)})
                assert bool(too_fine(period, precision)) != is_open(period, permit, contract)

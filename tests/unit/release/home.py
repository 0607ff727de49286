"""A home with a few published incidents and agreements of a few clauses, made in a moment.

Not here: taking deliveries in; the catalogue is written as a publish would leave it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.core.settings import Settings, settings_for
from schemas.contract import load_contract
from schemas.sqltext import name
from tests.unit.release.world import catalogue

RECEIVED = dt.datetime(2026, 6, 1)
TERMS = {
    "status": "illustrative",
    "title": {"en": "x", "fr": "x"},
    "legal_reference": {"en": "x", "fr": "x"},
    "signed_on": "2026-01-01",
    "valid_from": "2026-01-01",
    "valid_until": "2040-12-31",
    "version": "1.0.0",
}


def make_home(
    place: Path, held: Sequence[Mapping[str, Any]], permits: Sequence[Mapping[str, Any]]
) -> Settings:
    """A home whose one agreement has these clauses, numbered in their order."""
    settings = settings_for(place / "home", agreements=place / "agreements").prepare()
    settings.agreements.mkdir()
    clauses = [{**one, "clause": f"P{at}"} for at, one in enumerate(permits, 1)]
    parties = sorted(
        {"caf_police", "caf_gendarmerie", *(who for one in clauses for who in one["recipients"])}
    )
    terms = {"agreement": "trial", **TERMS, "parties": parties, "permits": clauses}
    (settings.agreements / "trial.yaml").write_text(yaml.safe_dump(terms, allow_unicode=True))
    publish(settings, held)
    return settings


def publish(settings: Settings, held: Sequence[Mapping[str, Any]]) -> None:
    """Put other incidents in the place of those that were published."""
    with catalogue("incidents", held) as connection:
        columns = ", ".join(
            f"{name(one.name)} {one.duckdb_type}" for one in load_contract("deliveries").columns
        )
        connection.execute(f"CREATE TABLE deliveries ({columns})")
        connection.execute(
            "INSERT INTO deliveries BY NAME SELECT ? AS received_at, 'incidents' AS table_name, "
            "'caf_police' AS source, 'accepted' AS state, ? AS contract_version",
            [RECEIVED, load_contract("incidents").version],
        )
        connection.execute("CREATE SCHEMA lake")
        connection.execute("CREATE TABLE lake.versions (table_name VARCHAR, version BIGINT)")
        connection.execute("INSERT INTO lake.versions VALUES ('incidents', 1)")
        connection.execute(
            "CREATE TABLE code_labels (list VARCHAR, code VARCHAR, label_en VARCHAR, "
            "label_fr VARCHAR)"
        )
        draft = settings.home / "draft.duckdb"
        connection.execute(f"ATTACH '{draft}' AS draft")
        connection.execute("COPY FROM DATABASE memory TO draft")
        connection.execute("DETACH draft")
    draft.replace(settings.catalogue)

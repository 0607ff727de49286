"""The link to Dagster: to the runs of a feed, and only for who can open it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from starlette.requests import Request

from pipelines.portal.configuration import Configuration
from pipelines.portal.pages.delivery_pages import dagster_page

HERE, THERE = "http://127.0.0.1:3000", "https://dagster.mission.example"
RUNS = "/runs?q%5B0%5D=tag%3Afeed%3Dcaf_police_incidents"


@pytest.mark.parametrize(
    ("address", "reader_at", "expected"),
    [
        ("", "localhost", ""),
        (HERE, "localhost", HERE + RUNS),
        (HERE, "127.0.0.1:8000", HERE + RUNS),
        (HERE, "passerelle.mission.example", ""),
        (THERE, "passerelle.mission.example", THERE + RUNS),
    ],
)
def test_it_opens_the_runs_or_is_not_shown(address: str, reader_at: str, expected: str) -> None:
    state = SimpleNamespace(configuration=Configuration(dagster_url=address))
    request = Request(
        {
            "type": "http",
            "scheme": "https",
            "path": "/feeds/x",
            "query_string": b"",
            "headers": [(b"host", reader_at.encode())],
            "app": SimpleNamespace(state=state),
        }
    )
    assert dagster_page(request, "caf_police_incidents") == expected

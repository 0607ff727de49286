"""The portal as a process of its own: whom it believes about the sender's address, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pipelines.core.settings import settings_for
from tests.portal import csrf_of
from tests.portal_process import PortalProcess

STARTS_WITHIN_S = 60
ONE_AN_HOUR = {"PASSERELLE_RATE_LIMITS": "sign_in_address=1/hour"}


@contextmanager
def portal(home: Path, **environment: str) -> Iterator[str]:
    """The address of `python -m pipelines.portal`, ended as a service manager does it."""
    process = PortalProcess(settings_for(home).prepare(), **environment).start()
    try:
        yield process.address
    finally:
        process.stop()


def tries(address: str, count: int) -> list[int]:
    """Wrong sign-ins that each claim to come from somewhere else."""
    found = []
    with httpx.Client(base_url=address, timeout=STARTS_WITHIN_S) as client:
        for number in range(count):
            secret = csrf_of(client.get("/sign-in").text)
            data = {"csrf": secret, "name": f"name.{number}", "password": "x"}
            claimed = {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https"}
            found.append(client.post("/sign-in", data=data, headers=claimed).status_code)
    return found


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_nobody_is_believed_about_the_address_of_the_sender(tmp_path: Path) -> None:
    with portal(tmp_path, **ONE_AN_HOUR) as address:
        assert tries(address, 2) == [422, 429]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_but_the_declared_proxy_is(tmp_path: Path) -> None:
    with portal(tmp_path, PASSERELLE_TRUSTED_PROXY="127.0.0.1", **ONE_AN_HOUR) as address:
        assert tries(address, 2) == [422, 422]


def test_it_does_not_listen_to_the_world_without_https(tmp_path: Path) -> None:
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")},
        "PASSERELLE_HOME": str(tmp_path),
        "PASSERELLE_PORTAL_LISTEN": "0.0.0.0:0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.portal"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN_S,
        check=False,
    )
    assert done.returncode == 2
    assert "PSL-207" in done.stderr and "https" in done.stderr

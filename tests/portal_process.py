"""A portal in a process of its own, with its workers, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from pipelines.core.settings import Settings
from tests.portal import PASSWORD, account, csrf_of

PATIENCE_S, ENDS_WITHIN_S = 90, 30
Found = TypeVar("Found")


class PortalProcess:
    """A portal that a service manager starts and ends; `kill` is what a power cut does."""

    def __init__(self, settings: Settings, **environment: str) -> None:
        self.settings = settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = environment
        self.process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> PortalProcess:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
        more = {
            "PASSERELLE_HOME": str(self.settings.home),
            "PASSERELLE_PORTAL_LISTEN": f"127.0.0.1:{self.port}",
            "LANG": "en",
            **self.environment,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.portal"],
            env=clean | more,
            stderr=(self.settings.home / "portal.log").open("ab"),
            start_new_session=True,
        )
        wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.settings.home / "portal.log").read_text()
        try:
            return httpx.get(f"{self.address}/sign-in").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(ENDS_WITHIN_S) in (0, -signal.SIGTERM)

    def browser(self, role: str, organisation: str, **more: Any) -> httpx.Client:
        name = account(self.settings, role, organisation=organisation, **more)
        browser = httpx.Client(base_url=self.address, timeout=PATIENCE_S)
        secret = csrf_of(browser.get("/sign-in").text)
        form = {"name": name, "password": PASSWORD, "csrf": secret}
        assert browser.post("/sign-in", data=form).status_code == 303
        return browser


def wait_until(is_so: Callable[[], Found]) -> Found:
    for _ in range(PATIENCE_S * 5):
        if found := is_so():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come about")

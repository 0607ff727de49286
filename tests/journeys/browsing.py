"""A portal of its own with people in it, and a browser that notices what a person would stumble on.

Not here: the ways that people go (`walks.py`) and what is held against them (the tests).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyotp

from pipelines.accounts import totp
from pipelines.accounts.people import find_user
from pipelines.core.settings import Settings, settings_for
from pipelines.portal.configuration import DEFAULT_RATES
from tests.portal import PASSWORD, account, cheap_passwords

CHROMIUM = Path("/usr/bin/chromium")
# What a headless Chromium needs where it runs as root, without a screen and without a network.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)
LAPTOP = {"width": 1366, "height": 768}
TELEPHONE = {"width": 390, "height": 844}
LOCALES = {"en": "en-GB", "fr": "fr-FR"}
PATIENCE_MS = 60_000  # a machine that many share
STARTS_WITHIN_S, ENDS_WITHIN_S = 60, 30
# Who lives in the home of the journeys: a name, a role and an organisation for each way.
PEOPLE = {
    "mission": ("mission_staff", "minusca_unpol"),
    "provider": ("provider", "caf_gendarmerie"),
    "specialist": ("data_specialist", "minusca_unpol"),
    "analyst": ("analyst", "minusca_unpol_jma"),
    "oversight": ("oversight", "minusca_unpol"),
    "operator": ("operator", "passerelle"),
}


@dataclass
class Town:
    """A running portal: its address, its home, and the secrets of the people's second factors."""

    address: str
    settings: Settings
    secrets: dict[str, str] = field(default_factory=dict)

    def person(
        self, who: str, language: str, number: int = 0, *, name: str = "", **more: Any
    ) -> str:
        """The name of an account that does nothing else; the second factor is asked of mission."""
        role, organisation = PEOPLE[who]
        name = name or f"{who}.{language}.{number}"
        account(
            self.settings, role, organisation=organisation, name=name, language=language, **more
        )
        if who == "mission" and name not in self.secrets:
            user = find_user(self.settings, name)
            enrolled = totp.enrol_totp(self.settings, user.id)
            # Confirmed with the code of a moment ago: the code of now is then still unused.
            before = pyotp.TOTP(enrolled.secret).at(time.time(), counter_offset=-1)
            totp.confirm_totp(self.settings, user.id, before)
            self.secrets[name] = enrolled.secret
        return name

    def code_of(self, name: str) -> str:
        """What the telephone of this person shows now; nothing where none is asked for."""
        return pyotp.TOTP(self.secrets[name]).now() if name in self.secrets else ""


@contextmanager
def town(home: Path, demo: Path | None, **environment: str) -> Iterator[Town]:
    """A portal process over a copy of the demo's home, or over an empty one."""
    cheap_passwords()
    if demo is not None:
        shutil.copytree(demo, home, dirs_exist_ok=True)
    settings = settings_for(home).prepare()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    own = {
        "PASSERELLE_HOME": str(home),
        "PASSERELLE_PORTAL_LISTEN": listen,
        "PASSERELLE_RATE_LIMITS": ";".join(f"{name}=100000/minute" for name in DEFAULT_RATES),
    }
    with (home / "portal.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.portal"],
            env=clean | own | environment,
            stderr=log,
        )
    try:
        _wait(f"http://{listen}/sign-in", process, home / "portal.log")
        yield Town(f"http://{listen}", settings)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(ENDS_WITHIN_S)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError("the portal did not start")


@contextmanager
def chromium(language: str = "en") -> Iterator[Any]:
    """Debian's Chromium, without a screen, as somebody has it who reads this language."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=[*FLAGS, f"--lang={LOCALES[language]}"],
            env={**os.environ, "LANGUAGE": LOCALES[language].replace("-", "_")},
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody before a browser; `look` is called on each page that they come to."""

    town: Town
    page: Any
    name: str
    language: str
    folder: Path
    look: Callable[[Visitor, str], None]
    with_keys: bool = False
    troubles: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.town.address + path)

    def at(self, name: str) -> None:
        """Here we are: look at the page."""
        self.look(self, name)

    def press(self, selector: str) -> None:
        """Press what leads on, with the mouse or with the keys, and wait for the next page."""
        found = self.page.locator(selector).first
        if self.with_keys:
            self.reach(found)
        with self.page.expect_navigation():
            if self.with_keys:
                self.page.keyboard.press("Enter")
            else:
                found.click()

    def tick(self, selector: str) -> None:
        """Tick or untick a box."""
        found = self.page.locator(selector).first
        if self.with_keys:
            self.reach(found)
            self.page.keyboard.press("Space")
        else:
            found.click()

    def type(self, selector: str, text: str) -> None:
        """Type a text into a field, in place of what it held."""
        found = self.page.locator(selector).first
        if self.with_keys:
            self.reach(found)
            self.page.keyboard.press("Control+a")
            self.page.keyboard.type(text)
        else:
            found.fill(text)

    def reach(self, found: Any) -> None:
        """Tab until this has the focus; each stop on the way must be seen."""
        for _step in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            seen = self.page.evaluate(FOCUS)
            assert seen is None or seen["is_seen"], f"the focus is not seen: {seen['what']}"
            if found.evaluate("one => one === document.activeElement"):
                return
        raise AssertionError(f"cannot be reached with the keys: {found}")

    def text(self) -> str:
        """The words of the page."""
        return str(self.page.inner_text("main"))


MOST_STOPS = 250
# What has the focus, and whether it shows: an outline, as the style sheet says, and on the screen.
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const inside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
    && box.right > 0 && box.left < innerWidth;
  const at = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1),
    Math.min(Math.max(box.top + Math.min(box.height, 20) / 2, 0), innerHeight - 1));
  const open = !at || one.contains(at) || at.contains(one);
  const why = [!outlined && 'no outline', !inside && 'off the screen', !open && 'covered'];
  const what = why.filter(Boolean) + ': ' + one.outerHTML.slice(0, 200);
  return {is_seen: outlined && inside && open, what: what};
}"""


@contextmanager
def visitor(
    place: Town,
    browser: Any,
    name: str,
    look: Callable[[Visitor, str], None],
    *,
    language: str,
    folder: Path,
    with_keys: bool = False,
    **options: Any,
) -> Iterator[Visitor]:
    """A browser of its own for one person; what goes wrong in it is written down."""
    wanted = {
        "viewport": LAPTOP,
        "locale": LOCALES[language],
        "accept_downloads": True,
        "reduced_motion": "reduce",
    }
    context = browser.new_context(**wanted | options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    one = Visitor(place, page, name, language, folder, look, with_keys)

    def said(message: Any) -> None:
        is_status = "responded with a status of" in message.text  # a page of faults, by design
        if message.type in ("error", "warning") and not is_status:
            one.troubles.append(f"{page.url}: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: one.troubles.append(f"{page.url}: {error}"))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((place.address, "data:"))
            else one.troubles.append(f"{page.url} asks {asked.url}")
        ),
    )
    try:
        yield one
    finally:
        context.close()


def sign_in(one: Visitor, then: str = "/") -> None:
    """Sign in by the page, with a code where one is asked for."""
    one.go(f"/sign-in?lang={one.language}&next={then}")
    one.at("sign-in")
    one.type("#field-name", one.name)
    one.type("#field-password", PASSWORD)
    if code := one.town.code_of(one.name):
        one.type("#field-code", code)
    one.press("main form button")

"""What every page is held against: axe in light and dark, its weight, its width, what it asks for.

Not here: the pages of one person (`walks.py`), the browser (`browsing.py`).
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import httpx

from tests.journeys.browsing import LAPTOP, TELEPHONE, Visitor

MOST_BYTES = 150_000
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
# What a page shows past its edge, outside what may scroll within itself.
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def held(one: Visitor, name: str) -> None:
    """Nothing is wrong with this page, in light, in dark, on a laptop and on a telephone."""
    _weighed(one, name)
    for scheme in ("light", "dark"):
        one.page.emulate_media(color_scheme=scheme)
        _axe(one, f"{name}, {scheme}")
    one.page.emulate_media(color_scheme="light")
    _narrow(one, name)
    assert one.troubles == [], name


def held_without_scripts(one: Visitor, name: str) -> None:
    """The same where no script may run: axe is one, so it is not asked."""
    _weighed(one, name)
    assert one.page.locator("h1").count() == 1, name
    assert one.page.locator("script").count() == 0, name
    assert one.troubles == [], name


def _weighed(one: Visitor, name: str) -> None:
    """The page and all that it loads the first time, raw: what comes over the wire is less."""
    page = len(one.page.content().encode())
    links = one.page.locator('link[href]:not([rel="canonical"]), img[src]').all()
    loaded = {link.get_attribute("href") or link.get_attribute("src") for link in links}
    others = sum(weight(one.town.address + path) for path in loaded)
    assert others and page + others < MOST_BYTES, f"{name}: {page} + {others} bytes"


@cache
def weight(address: str) -> int:
    """How many bytes stand at an address."""
    return len(httpx.get(address).raise_for_status().content)


def _axe(one: Visitor, where: str) -> None:
    one.page.evaluate(_axe_script())
    options = json.dumps({"runOnly": list(RULES), "resultTypes": ["violations"]})
    found: list[dict[str, Any]] = one.page.evaluate(f"axe.run({options}).then(r => r.violations)")
    said = [
        f"{fault['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for fault in found
        for node in fault["nodes"][:2]
    ]
    assert said == [], f"{where}\n" + "\n".join(said)


@cache
def _axe_script() -> str:
    from axe_playwright_python.sync_playwright import Axe

    return str(Axe().axe_script)


def _narrow(one: Visitor, name: str) -> None:
    one.page.set_viewport_size(TELEPHONE)
    over = one.page.evaluate(TOO_WIDE)
    one.page.set_viewport_size(LAPTOP)
    assert over <= 0, f"{name} is {over} pixels too wide for a telephone"


def on_paper(one: Visitor) -> None:
    """What is printed of this page begins with its marking."""
    one.page.emulate_media(media="print")
    shown = one.page.locator(".marking").first
    assert shown.is_visible() and shown.inner_text().strip()
    assert not one.page.locator(".menu").is_visible()
    one.page.emulate_media(media="screen")

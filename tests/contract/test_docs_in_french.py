"""The pages in French: each has an English twin, says what that says, and is French.

Not here: whether what a page says is true (`test_docs.py`).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.test_docs import FRENCH, SETTINGS, settings_rows


def twin_of(page: Path) -> Path:
    """The English page beside a French one."""
    return page.with_name(page.name.replace(".fr.md", ".md"))


@pytest.mark.parametrize("page", FRENCH, ids=lambda page: page.name)
def test_a_french_page_has_its_twin_and_leads_to_french_pages(page: Path) -> None:
    twin = twin_of(page)
    for one, other in ((page, twin), (twin, page)):
        link = one.read_text("utf-8").split("\n")[2]
        assert re.fullmatch(rf"\*\[[\w ]+\]\({re.escape(other.name)}\)\*", link), one.name
    english = {twin_of(french) for french in FRENCH}
    linked = re.findall(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)", page.read_text("utf-8"))
    missed = {target for target in linked if (page.parent / target).resolve() in english - {twin}}
    assert not missed, f"{page.name} leads to English pages that are there in French: {missed}"


@pytest.mark.parametrize("page", FRENCH, ids=lambda page: page.name)
def test_a_french_page_says_all_that_its_twin_says(page: Path) -> None:
    """As far as can be told without reading: the sections, the rows of tables, what has a name."""
    named = r"[A-Z]{3}-\d{3}\b|PASSERELLE_[A-Z_]+[A-Z]\b|\btests/[a-z_/]+\.py|passerelle [a-z]+"
    french, english = (one.read_text("utf-8") for one in (page, twin_of(page)))
    for what in (r"(?m)^(#+) |^```", r"(?m)^\|"):
        assert re.findall(what, french) == re.findall(what, english), f"{page.name}: {what}"
    assert set(re.findall(named, french)) == set(re.findall(named, english))


def test_both_languages_of_the_settings_say_the_same_values() -> None:
    english, french = map(settings_rows, SETTINGS)
    assert list(english) == list(french)
    for name in english:
        values = [re.findall(r"`([^`]+)`", page[name]) for page in (english, french)]
        assert values[0] == values[1], name


@pytest.mark.parametrize("page", FRENCH, ids=lambda page: page.name)
def test_french_pages_keep_french_typography(page: Path) -> None:
    words = re.sub(
        r"```.*?```|`[^`\n]*`|\]\([^)]*\)|<[^>]*>|https?://\S+",
        "",
        page.read_text("utf-8"),
        flags=re.DOTALL,
    )
    for number, line in enumerate(words.split("\n"), start=1):
        if re.fullmatch(r"[\s|:-]*", line):  # the rule below the heading of a table
            continue
        where = f"{page.name}, line {number} without its code: {line}"
        assert "'" not in line and '"' not in line, f"straight quote; {where}"
        assert not re.search(r"[^\s\u00a0\u202f|(][;!?»]", line), f"space before a sign; {where}"
        assert not re.search(r"[^\u00a0|]:(?=\s|$)", line), f"space before a colon; {where}"
        assert not re.search(r"[^\u202f|\s][;!?]|(?<!\S) [;!?]", line), f"narrow space; {where}"
        assert not re.search(r"«[^\u00a0]|[^\u00a0]»", line), f"space within quotes; {where}"

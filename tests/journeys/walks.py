"""The way of each person through the portal, page by page, as that person goes.

Not here: what every page is held against; `Visitor.at` looks at each one, and the caller says how.
"""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

from schemas.feed import load_feed
from tests.journeys.browsing import PATIENCE_MS, Visitor, sign_in

FEED = "caf_gendarmerie_incidents"
BAD_ROWS = "INC-312"
SOURCE_COLUMN = "Nature des faits"  # as the CAR Police's own files call it


def mission(one: Visitor) -> Path:
    """Mission staff: from signing in to a file, and back to prove it; returns the file."""
    sign_in(one)
    one.at("home-mission")
    one.press('a[href="/tables"]:visible')
    one.at("tables")
    one.press('main a[href^="/tables/incidents"][href*="joint_planning"]')
    one.at("choose")
    _dates(one, "2026-10-31", "2026-06-01")
    one.press("form#choice button.main")
    assert one.page.locator("#field-until[aria-invalid=true]").count() == 1
    assert one.page.input_value("#field-since") == "2026-10-31"
    one.at("choose-faults")
    _dates(one, "2026-06-01", "2026-10-31")
    one.press("form#choice button.main")
    one.at("preview")
    one.press('main form[action$="/extract"] button.main')
    _wait_for(one, 'main a[href$="/file"]')
    one.at("result")
    if one.with_keys:
        one.reach(one.page.locator('main a[href$="/file"]'))
    with one.page.expect_download() as fetched:
        if one.with_keys:
            one.page.keyboard.press("Enter")
        else:
            one.page.click('main a[href$="/file"]')
    file = one.folder / fetched.value.suggested_filename
    fetched.value.save_as(file)
    assert zipfile.is_zipfile(file)
    one.press('a[href="/extracts"]:visible')
    one.at("history")
    one.press('a[href="/verify"]:visible')
    one.at("verify")
    one.page.set_input_files("#field-file", file)
    one.press('main form[method="post"] button.main')
    assert one.page.locator(".notice.good").count() == 1
    one.at("verified")
    return file


def counts(one: Visitor) -> None:
    """The same as counts: what is too small to be told is hidden."""
    one.go("/tables/incidents?form=counts&purpose=capacity_building")
    one.at("choose-counts")
    one.press("form#choice button.main")
    one.at("preview-counts")


def provider(one: Visitor, number: int = 0) -> Path:
    """A provider: a file with bad rows, the report, the corrected file; returns the workbook."""
    sign_in(one)
    one.at("home-provider")
    one.press('a[href="/deliveries/new"]:visible')
    one.at("send")
    one.page.click('main form[method="post"] button.main')  # without a file: the browser stops it
    assert one.page.url.endswith("/deliveries/new")
    one.page.set_input_files("#field-file", _delivery(one.folder, number, is_bad=True))
    one.press('main form[method="post"] button.main')
    _wait_for(one, 'main a[href$="/rejections.xlsx"]')
    one.at("delivery")
    assert BAD_ROWS in one.text()
    with one.page.expect_download() as fetched:
        one.page.click('main a[href$="/rejections.xlsx"]')
    book = one.folder / fetched.value.suggested_filename
    fetched.value.save_as(book)
    one.go(f"/deliveries/new?feed={FEED}")
    one.page.set_input_files("#field-file", _delivery(one.folder, number, is_bad=False))
    one.press('main form[method="post"] button.main')
    _wait_for(one, "main .notice.good")
    one.at("delivery-accepted")
    one.press('a[href="/deliveries"]:visible')
    one.at("deliveries")
    return book


def _delivery(folder: Path, number: int, *, is_bad: bool) -> Path:
    """A counterexample as it is, or without its bad rows; a delivery of its own each time."""
    feed = load_feed(FEED)
    [file] = (f for f, code in feed.counterexamples().items() if code == BAD_ROWS)
    head, *lines = file.read_bytes().splitlines(keepends=True)
    if not is_bad:
        lines = [line.replace(b"Type B", b"Fusil") for line in lines]
    # The number of a record comes first: others each time.
    marked = [head, *(b"%04d" % (number * 10 + at) + line[4:] for at, line in enumerate(lines))]
    place = folder / f"registre-{number}{'' if is_bad else '-corrige'}.csv"
    place.write_bytes(b"".join(marked))
    return place


def specialist(one: Visitor) -> None:
    """A data specialist: what came in, what was rejected and why, who is silent."""
    sign_in(one)
    one.at("home-specialist")
    one.press('a[href="/all-deliveries"]:visible')
    one.at("all-deliveries")
    one.press("main tbody a")
    one.at("delivery-of-others")
    one.press('a[href="/rejections"]:visible')
    one.type("#field-since", "2026-01-01") if not one.with_keys else None
    one.press("main form.filters button")
    assert one.page.locator("main figure svg[role=img]").count() >= 1
    one.at("rejections")
    one.press('a[href="/feeds"]:visible')
    one.at("feeds")
    one.press("main tbody a")
    one.at("feed")


def analyst(one: Visitor) -> None:
    """An analyst: what is a service's column here, a sample, a question too many, an answer."""
    sign_in(one)
    one.at("home-analyst")
    one.press('a[href="/dictionary"]:visible')
    one.at("dictionary")
    one.type("#field-q", SOURCE_COLUMN)
    one.press("main form.filters button")
    one.at("dictionary-found")
    one.press('main a[href="/dictionary/incidents/offence_code"]')
    one.at("column")
    one.press('a[href="/sql"]:visible')
    one.press('main a[href*="sample="]')
    one.at("sql")
    one.type("#field-question", "SELECT * FROM read_csv('/etc/passwd')")
    one.press('main form[method="post"] button.main')
    assert one.page.locator("#error-question").count() == 1
    one.at("sql-refused")
    one.press('main a[href*="sample="]')
    one.press('main form[method="post"] button.main')
    assert one.page.locator("#answer table tbody tr").count() > 0
    one.at("sql-answer")


def oversight(one: Visitor) -> None:
    """Oversight: does the ledger hold, what is agreed, who took what."""
    sign_in(one)
    one.at("home-oversight")
    one.press('a[href="/ledger"]:visible')
    one.at("ledger")
    one.press('main form[action="/ledger"][method="post"] button')
    assert one.page.locator(".notice.good").count() == 1
    one.at("ledger-checked")
    one.press('a[href="/agreements"]:visible')
    one.at("agreements")
    one.press('main a[href="/agreements/caf_minusca"]')
    one.at("agreement")
    one.press('a[href="/taken"]:visible')
    one.at("taken")


WALKS: dict[str, Any] = {
    "mission": mission,
    "provider": provider,
    "specialist": specialist,
    "analyst": analyst,
    "oversight": oversight,
}


def _dates(one: Visitor, since: str, until: str) -> None:
    for name, day in (("since", since), ("until", until)):
        field = one.page.locator(f"#field-{name}")
        if one.with_keys:
            one.reach(field)
            year, month, number = day.split("-")
            # In which order the parts come is the browser's choice: its own language decides.
            for typed in (number + month + year, month + number + year):
                one.page.keyboard.type(typed)
                if field.input_value() == day:
                    break
                while field.evaluate("one => one === document.activeElement"):
                    one.page.keyboard.press("Shift+Tab")  # part by part, out of the field
                one.reach(field)
        else:
            field.fill(day)


def _wait_for(one: Visitor, selector: str) -> None:
    """Until the page that renews itself shows this."""
    seen_waiting = False
    end = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < end:
        if one.page.locator(selector).count():
            return
        if not seen_waiting and one.page.locator('main a[href="?renew=no"]').count():
            seen_waiting = True
            address = one.page.url
            one.page.goto(f"{address}?renew=no")  # a page that is looked at must not renew itself
            one.at("waiting")
            one.page.goto(address)
        time.sleep(0.3)
    raise AssertionError(f"it did not come: {one.page.url}\n{one.text()}")

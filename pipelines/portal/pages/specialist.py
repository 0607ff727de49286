"""The data specialist's pages: deliveries, what is rejected and why, how each feed does.

Codes and counts; what was sent is only in a delivery’s report. Of one’s own organisation and of
feeds granted by name; an operator sees how every feed does.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from pipelines.accounts.permissions import Person, reach
from pipelines.lake.catalogue import table_faults
from pipelines.lake.questions import ALSO_SPECIALIST_AFTER
from pipelines.portal import words
from pipelines.portal.charts import Amount, Figure, Series, bars, lines
from pipelines.portal.pages.delivery_pages import (
    Actions,
    Desk,
    dagster_page,
    desk_router,
    filters,
    state_words,
)
from pipelines.portal.services import deliveries as known
from pipelines.portal.services import feed_figures as figures
from pipelines.portal.services.scope import scope_of
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.page import page
from pipelines.portal.web.request import query_form, settings_of
from pipelines.portal.words import _
from schemas.codelist import labels
from schemas.contract import all_rules, load_contract
from schemas.feed import Feed, feed_problems, load_feed

BASE = "/all-deliveries"

ACTIONS = Actions("delivery.upload_feeds", "delivery.read_feeds", "rejections.read_feeds")
Rejections = Depends(allowed("rejections.read_feeds"))
Health = Depends(allowed("feeds.health"))

WEEKS = 26
LINES_SHOWN = 4
BARS_SHOWN = 8
RULES_A_PAGE = 15
RULES_OF_A_FEED = 10
DELIVERIES_OF_A_FEED = 8


def desk_of(person: Person) -> Desk:
    """The deliveries that the person looks after, without the cells that were sent."""
    return Desk(BASE, scope_of(person, "delivery.read_feeds"), False, ALSO_SPECIALIST_AFTER)


router = APIRouter()
router.include_router(desk_router(BASE, ACTIONS, desk_of))


@router.get("/rejections")
def rejections(request: Request, person: Person = Rejections) -> HTMLResponse:
    """Which rules are raised, how often, by whom, and whether it gets better."""
    form = query_form(request)
    choice = filters(form, scope_of(person, "rejections.read_feeds"))
    if not form.value("since"):
        first = dt.datetime.now(dt.UTC).date() - figures.WEEK * WEEKS
        choice = known.DeliveryFilter(choice.scope, choice.feed, "", first, choice.until)
    settings = settings_of(request)
    raised = figures.rule_frequencies(settings, choice)
    errors = [one for one in raised if one.severity == "error"]
    number = form.integer("page", least=1, most=10_000, otherwise=1) or 1
    pages = max(1, math.ceil(len(errors) / RULES_A_PAGE))
    number = min(number, pages)
    weeks = figures.weekly(settings, choice)
    rows = [one for one in errors if one.rows]
    top = [one.code for one in rows[:LINES_SHOWN]]
    return page(
        request,
        "specialist/rejections.html",
        status=200 if form.is_good else 422,
        form=form,
        choice=choice,
        feeds=desk_of(person).choices(),
        titles=dict(desk_of(person).choices()),
        errors_found=errors[(number - 1) * RULES_A_PAGE : number * RULES_A_PAGE],
        number_of=number,
        pages=pages,
        total=len(errors),
        warnings=[one for one in raised if one.severity == "warning"],
        by_feed=_by_feed(figures.rule_frequencies(settings, choice, by_feed=True)),
        sums=_sums(weeks),
        rules=all_rules(),
        weekly=_weekly_figure(weeks),
        top=_top_figure(rows[:BARS_SHOWN]),
        trends=_trends(figures.weekly_by_rule(settings, choice, tuple(top)), top),
    )


@router.get("/feeds")
def feeds(request: Request, person: Person = Health) -> HTMLResponse:
    """Who sends as announced, who is late, who sent nothing yet."""
    found = figures.health(settings_of(request), scope_of(person, "feeds.health"))
    where = reach(person, "feeds.health")
    order = ("silent", "late", "on_time", "never")
    found.sort(key=lambda one: (order.index(one.rhythm), one.feed))
    return page(
        request,
        "specialist/feeds.html",
        faults=table_faults(settings_of(request)),
        problems=feed_problems() if where and where.is_installation else [],
        found=found,
        titles={one.feed: load_feed(one.feed).title[words.language()] for one in found},
        rhythm=rhythm_words,
        counts={rhythm: sum(one.rhythm == rhythm for one in found) for rhythm in order},
    )


@router.get("/feeds/{feed}")
def one_feed(request: Request, feed: str, person: Person = Health) -> HTMLResponse:
    """One feed: what it is, how it is read, how it does."""
    scope = scope_of(person, "feeds.health")
    if feed not in scope.feeds:
        not_found()
    declared = load_feed(feed)
    settings = settings_of(request)
    asked_for = known.DeliveryFilter(scope, feed)
    raised = figures.rule_frequencies(settings, asked_for)
    [health] = [one for one in figures.health(settings, scope) if one.feed == feed]
    has_deliveries = feed in scope_of(person, "delivery.read_feeds").feeds
    return page(
        request,
        "specialist/feed.html",
        feed=declared,
        health=health,
        rhythm=rhythm_words,
        contract=load_contract(declared.table),
        source=labels("sources", words.language())[declared.source],
        mapped=_mapped(declared),
        rules=all_rules(),
        errors_found=[one for one in raised if one.severity == "error"][:RULES_OF_A_FEED],
        warnings=[one for one in raised if one.severity == "warning"][:RULES_OF_A_FEED],
        has_deliveries=has_deliveries,
        recent=known.list_deliveries(settings, asked_for, size=DELIVERIES_OF_A_FEED).lines
        if has_deliveries
        else [],
        dagster="" if has_deliveries else dagster_page(request, feed),
        state_words=state_words,
        encodings=figures.encodings(settings, asked_for),
        weekly=_weekly_figure(figures.weekly(settings, asked_for)),
    )


def rhythm_words(one: figures.Health) -> tuple[str, str]:
    """The kind of badge and the words for how a feed keeps its announced rhythm."""
    return {
        "on_time": ("good", _("on time")),
        "late": ("warn", _("late by {days} days", days=words.number(one.days_late))),
        "silent": ("bad", _("silent: late by {days} days", days=words.number(one.days_late))),
        "never": ("calm", _("nothing yet")),
    }[one.rhythm]


def _mapped(feed: Feed) -> list[tuple[str, str, str]]:
    """For each column of ours: its name, its label, and where the feed takes it from."""
    contract = load_contract(feed.table)
    labels = {column.name: column.label[words.language()] for column in contract.columns}
    found = []
    for target, mapping in feed.map.items():
        origin = ", ".join(mapping.source) or _("always “{value}”", value=str(mapping.value))
        found.append((target, labels.get(target, target), origin))
    return found


def _by_feed(
    raised: list[figures.RuleFrequency],
) -> list[tuple[str, int, int, list[figures.RuleFrequency]]]:
    """For each feed: rows to correct by rule, warnings, and its three most frequent errors."""
    feeds: dict[str, list[figures.RuleFrequency]] = {}
    for one in raised:
        feeds.setdefault(one.feed, []).append(one)
    found = []
    for feed, ones in feeds.items():
        errors = [one for one in ones if one.severity == "error"]
        warned = sum(one.rows for one in ones if one.severity == "warning")
        found.append((feed, sum(one.rows for one in errors), warned, errors[:3]))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _sums(weeks: list[figures.Week]) -> dict[str, Any]:
    accepted = sum(one.rows_accepted or 0 for one in weeks)
    aside = sum(one.rows_quarantined or 0 for one in weeks)
    return {
        "deliveries": sum(one.deliveries for one in weeks),
        "accepted": accepted,
        "aside": aside,
        "share": accepted / (accepted + aside) if accepted + aside else None,
    }


def _amount(week: dt.date, value: float | None) -> Amount:
    label = week.isoformat()
    return Amount.silent(label) if value is None else Amount(label, value)


def _weekly_figure(weeks: list[figures.Week]) -> Figure | None:
    """The rows to correct in a hundred, week by week; None where there is no line to draw."""
    shares = [None if one.share is None else 100 * (1 - one.share) for one in weeks]
    if sum(value is not None for value in shares) < 1:
        return None
    amounts = tuple(_amount(one.week, value) for one, value in zip(weeks, shares, strict=True))
    unit = _("Rows to correct in a hundred")
    latest = next(value for value in reversed(shares) if value is not None)
    worst = max(value for value in shares if value is not None)
    return lines(
        (Series("", amounts),),
        title=unit,
        unit=unit,
        language=words.language(),
        alt=_(
            "Of a hundred rows, those to correct by week: {latest} in the latest week with a "
            "delivery, at most {worst}.",
            latest=words.number(latest, 1),
            worst=words.number(worst, 1),
        ),
    )


def _top_figure(raised: list[figures.RuleFrequency]) -> Figure | None:
    if not raised:
        return None
    rules, language = all_rules(), words.language()
    return bars(
        tuple(
            Amount(f"{one.code} {rules[one.code].message[language]}", one.rows) for one in raised
        ),
        title=_("Rules raised most often"),
        label=_("Rule"),
        unit=_("Rows"),
        language=language,
    )


def _trends(found: list[tuple[dt.date, str, int | None]], codes: list[str]) -> Figure | None:
    if not found:
        return None
    series = tuple(
        Series(code, tuple(_amount(week, rows) for week, of, rows in found if of == code))
        for code in codes
    )
    title = _("Rows to correct by week, for these rules")
    return lines(series, title=title, unit=_("Rows"), language=words.language())

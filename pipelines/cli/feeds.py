"""Commands about feeds: `feed list`, `feed new`, `feed check`.

Not here: reading feeds (`schemas/feed.py`), guessing and checking them (`pipelines/authoring`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.session import table
from pipelines.cli.words import _, language, mark, number


@command("list", mark("List the feeds: who sends what, and which table it fills."), "passerelle feed list")
def list_feeds(context: typer.Context) -> None:
    """List feeds."""
    from schemas.feed import feed_names, load_feed

    session = session_of(context)
    feeds = [load_feed(name) for name in feed_names()]
    if session.is_json:
        session.print_json([_row(feed) for feed in feeds])
        return
    grid = table(_("Feed"), _("Table"), _("Every … days"), _("What it is"), numbers=[2])
    for feed in feeds:
        days = number(feed.expected_every_days)
        grid.add_row(feed.feed, feed.table, days, feed.title[language()])
    session.print(grid)
    session.print(_("A file for a feed goes to {place}.", place=session.settings.inbox / "<feed>"))


def _row(feed: Any) -> dict[str, Any]:
    return {
        "feed": feed.feed,
        "version": feed.version,
        "table": feed.table,
        "source": feed.source,
        "status": feed.status,
        "title": feed.title[language()],
        "language": feed.language,
        "handling": feed.handling,
        "expected_every_days": feed.expected_every_days,
        "formats": [layout.format for layout in feed.file],
    }

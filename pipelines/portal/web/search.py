"""Words that were typed into a search: kept for the session, so that no address holds them.

A search is sent as a form and leads to an address with a number in the place of its words. Days,
codes and the number of a page may stand in one: they name nobody.
"""

from __future__ import annotations

from fastapi import Request

from pipelines.portal.forms import Form
from pipelines.portal.security.visitor import visitor_of
from pipelines.portal.web import submissions
from pipelines.portal.web.expired_forms import HELD


def keep_words(request: Request, form: Form, *names: str) -> str:
    """The number under which these fields of a form are kept; "" where none was filled in."""
    words = {name: form.value(name) for name in names if form.value(name).strip()}
    return submissions.keep(request, _binding(request), words) if words else ""


def add_words(request: Request, form: Form) -> None:
    """Put the words that the number of an address stands for into the form of that address."""
    number = form.value(HELD)
    words = submissions.kept(request, _binding(request), number) if number else None
    for name, typed in (words or {}).items():
        form.values[name] = [str(typed)]


def _binding(request: Request) -> str:
    return f"words:{visitor_of(request).session}"

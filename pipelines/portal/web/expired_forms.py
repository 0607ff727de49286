"""A form that was sent after the session ended: kept, and given back once its person signed in.

It is given back as it was filled, to the account that filled it in, in the same browser, and
nothing is done until its button is pressed again. Passwords and codes are not kept, nor a file: of
an upload not a byte is taken from somebody who is not signed in.
"""

from __future__ import annotations

from fastapi import Request

from pipelines.portal.forms import Form
from pipelines.portal.security.csrf import FIELD
from pipelines.portal.security.visitor import bound, visitor_of
from pipelines.portal.web import submissions
from pipelines.portal.web.request import posted

HELD = "held"
NEVER_KEPT = frozenset({FIELD, "password", "present", "again", "code"})


def keep(request: Request) -> str:
    """The path of the page to come back to, and the number under which its form is kept."""
    visitor = visitor_of(request)
    path = page_of(request)
    form = posted(request)
    fields = {name: typed for name, typed in form.values.items() if name not in NEVER_KEPT}
    kept = {"page": path, "fields": fields, "has_file": not form.values}
    binding = bound(visitor.visit, visitor.filled_by)
    return f"{path}?{HELD}={submissions.keep(request, binding, kept)}"


def page_of(request: Request) -> str:
    """The page that holds the form of this address: itself, or the nearest above it."""
    routes, path = request.app.state.page_patterns, request.url.path
    while path != "/" and not any(one.match(path) for one in routes):
        path = path.rpartition("/")[0] or "/"
    return path


def returned(request: Request) -> Form | None:
    """The form as it was filled in before the session ended; None where none came back."""
    kept = _kept(request)
    return Form({name: list(typed) for name, typed in kept["fields"].items()}) if kept else None


def words_for(request: Request) -> str:
    """What is said of a form that came back: `form`, `file` (which was not kept), or nothing."""
    kept = _kept(request)
    return "" if not kept else "file" if kept["has_file"] else "form"


def _kept(request: Request) -> dict[str, dict[str, list[str]]] | None:
    number = request.query_params.get(HELD, "")
    if request.method != "GET" or not number:
        return None
    if not hasattr(request.state, "returned"):
        found = submissions.kept(request, visitor_of(request).binding, number)
        is_here = found is not None and found.get("page") == request.url.path
        request.state.returned = found if is_here else None
    kept: dict[str, dict[str, list[str]]] | None = request.state.returned
    return kept

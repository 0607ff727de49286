"""Addresses of ours: written with a query, kept within the portal, gone on to."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi.responses import RedirectResponse
from starlette.responses import Response


def redirect(path: str) -> Response:
    """Go on to another page of ours after a form was taken."""
    return RedirectResponse(local_path(path), status_code=303)


def local_path(path: str, otherwise: str = "/") -> str:
    """`path` where it is an address within the portal; else `otherwise`: nobody is sent away."""
    parts = urlsplit(path.replace("\\", "/"))
    is_ours = path.startswith("/") and not (parts.scheme or parts.netloc)
    is_plain = path.isprintable() and not path.replace("\\", "/").startswith("//")
    return path if is_ours and is_plain else otherwise


def url(path: str, /, **query: Any) -> str:
    """An address with its query; empty values are left out, lists are repeated."""
    kept = {name: value for name, value in query.items() if value not in (None, "", (), [])}
    return quote(path, safe="/-_.~%") + (f"?{urlencode(kept, doseq=True)}" if kept else "")

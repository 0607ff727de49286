"""The style sheet and the icon, served under names that change when they do."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from pipelines.portal.security.visitor import STATIC

FOLDER = Path(__file__).parents[1] / "static"
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
KEPT = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def _files() -> dict[str, Path]:
    """Every file by its name with a part of its hash: `style.1a2b3c4d5e.css`."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in TYPES:
            mark = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
            found[f"{file.stem}.{mark}{file.suffix}"] = file
    return found


def static_address(name: str) -> str:
    """The address of a file of ours: `{{ static("style.css") }}`."""
    wanted = FOLDER / name
    [address] = [address for address, file in _files().items() if file == wanted]
    return f"{STATIC}{address}"


@router.get(f"{STATIC}{{name}}")
def file(name: str) -> Response:
    """One file; its name says which bytes, so it may be kept for ever."""
    place = _files().get(name)
    if place is None:
        return Response(status_code=404)
    headers = {"Cache-Control": KEPT}
    return Response(place.read_bytes(), media_type=TYPES[place.suffix], headers=headers)

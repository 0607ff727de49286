"""One's own account: language, password, second factor, personal tokens.

Not here: other people's accounts (`passerelle user`).
"""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()

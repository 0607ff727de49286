"""The pages of the mission role.

Not here: yet anything; written by its own helper.
"""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()

"""The pages of the specialist role.

Not here: yet anything; written by its own helper.
"""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()

"""How often: sign-ins, uploads, extracts, queries, calls of the API.

Not here: the lock of an account after wrong passwords (`pipelines/accounts`), sizes of bodies.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from fastapi import HTTPException, Request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from pipelines.portal.security.visitor import visitor_of


class RateLimits:
    """The counts of one portal process, in memory: a restart forgives."""

    def __init__(self, rates: dict[str, str]) -> None:
        self.items = {name: parse(rate) for name, rate in rates.items()}
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait_s(self, name: str, who: str) -> int:
        """Count one more. 0 where there was room; else the seconds until there is."""
        item = self.items[name]
        if self.limiter.hit(item, name, who):
            return 0
        reset = self.limiter.get_window_stats(item, name, who).reset_time
        return max(1, math.ceil(reset - time.time()))


def check_rate(request: Request, name: str, who: str = "") -> None:
    """Count one more of `name` for `who`, else the person, else the address; 429 if too many."""
    visitor = visitor_of(request)
    mine = visitor.person.user_id if visitor.person else visitor.address
    rates: RateLimits = request.app.state.rates
    if wait := rates.wait_s(name, who or mine):
        raise HTTPException(429, headers={"Retry-After": str(wait)})


def limited(name: str) -> Callable[[Request], Any]:
    """A dependency that counts each request of a route: `Depends(limited("extract"))`."""

    def count(request: Request) -> None:
        check_rate(request, name)

    return count

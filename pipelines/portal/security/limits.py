"""How often: failed sign-ins from an address, uploads, extracts, queries, calls of the API.

Failed sign-ins are counted in the database, for all processes and over a restart. The delay of an
account after wrong passwords is in `pipelines/accounts`.
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

from pipelines.accounts import delays
from pipelines.portal.security.devices import is_known_somewhere
from pipelines.portal.security.visitor import visitor_of


class RateLimits:
    """The counts of one portal process, in memory: a restart forgives."""

    def __init__(self, rates: dict[str, str]) -> None:
        self.items = {name: parse(rate) for name, rate in rates.items()}
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait_s(self, name: str, who: str) -> int:
        """Count one more. 0 where there was room; else the seconds until there is."""
        is_room = self.limiter.hit(self.items[name], name, who)
        return 0 if is_room else self._reset_s(name, who)

    def _reset_s(self, name: str, who: str) -> int:
        reset = self.limiter.get_window_stats(self.items[name], name, who).reset_time
        return max(1, math.ceil(reset - time.time()))


def check_rate(request: Request, name: str, who: str = "") -> None:
    """Count one more of `name` for `who`, else the person, else the address; 429 if too many."""
    visitor = visitor_of(request)
    mine = visitor.person.user_id if visitor.person else visitor.address
    rates: RateLimits = request.app.state.rates
    _stop_for(rates.wait_s(name, who or mine))


def check_address(request: Request, name: str = "") -> None:
    """429 where too many sign-ins from this address failed; this one is not counted yet.

    A whole mission may be behind one address: who signs in rightly takes no room from the others,
    and a browser that is known to the account (to any account, where none is named) does not feel
    the cap.
    """
    if (seconds := address_wait_s(request)) and not is_known_somewhere(request, name):
        _stop_for(seconds)


def address_wait_s(request: Request) -> int:
    """Seconds until sign-ins and tokens from this address are looked at again; 0: now."""
    settings, address = request.app.state.settings, visitor_of(request).address
    return delays.address_wait_s(settings, address, *_cap(request))


def count_failure(request: Request) -> None:
    """One more sign-in, or token, from this address failed."""
    settings, address = request.app.state.settings, visitor_of(request).address
    delays.count_address(settings, address, _cap(request)[1])


def _cap(request: Request) -> tuple[int, int]:
    """How many may fail from one address, in how many seconds."""
    rates: RateLimits = request.app.state.rates
    item = rates.items["sign_in_address"]
    return int(item.amount), int(item.get_expiry())


def _stop_for(seconds: int) -> None:
    if seconds:
        raise HTTPException(429, headers={"Retry-After": str(seconds)})


def limited(name: str) -> Callable[[Request], Any]:
    """A dependency that counts each request of a route: `Depends(limited("extract"))`."""

    def count(request: Request) -> None:
        check_rate(request, name)

    return count

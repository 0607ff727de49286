"""One line a request: method, route, status, duration; nothing that names a person or a record.

Who did what is in the ledger.
"""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("passerelle.portal")


class AccessLogMiddleware:
    """Writes the pattern of the route (`/extracts/{job}`), never the address that was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_look)
        finally:
            pattern = getattr(scope.get("route"), "path", None) or "(no such page)"
            took_ms = (time.perf_counter() - began) * 1000
            LOG.info("%s %s %s %.0f ms", scope["method"], pattern, status or "ended", took_ms)

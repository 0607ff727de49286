"""How much a request may send: little, unless its route says more.

The limit of a delivery is in the settings (`pipelines/core/settings.py`).
"""

from __future__ import annotations

from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimitMiddleware:
    """Refuses a body that is too large as it is read; `max_body_size` of a route goes before ours.

    Starlette's own middleware would put a bare line of text in the place of our page.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app, self.max_body_size = app, max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await _Responder(self.app, self.max_body_size)(scope, receive, send)


class _Responder(RequestBodyLimitResponder):
    async def send_with_limit(self, message: Message) -> None:
        """Send what our own pages say."""
        if message["type"] == "http.response.start":
            self.response_started = True
        await self.send(message)

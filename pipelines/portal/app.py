"""The portal as one application: `create_app()`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.core.keys import installation_key
from pipelines.core.settings import Settings, current_settings
from pipelines.portal.api import v1
from pipelines.portal.configuration import Configuration, Oidc, current_configuration
from pipelines.portal.pages import (
    account,
    analyst,
    consents,
    home,
    mission,
    oversight,
    provider,
    specialist,
    tokens,
)
from pipelines.portal.pages import sign_in as signin
from pipelines.portal.security.access_log import AccessLogMiddleware
from pipelines.portal.security.body_limit import BodyLimitMiddleware
from pipelines.portal.security.csrf import protect
from pipelines.portal.security.headers import HeadersMiddleware
from pipelines.portal.security.limits import RateLimits
from pipelines.portal.security.visitor import VisitorMiddleware, cookie_name, visitor_of
from pipelines.portal.web import static_files
from pipelines.portal.web.access import SignInNeededError, public
from pipelines.portal.web.errors import add_error_pages, unavailable, unforeseen
from pipelines.portal.web.page import templates

PAGES = (
    *(home, signin, account, tokens),
    *(mission, provider, consents, specialist, analyst, oversight),
)
LARGEST_FORM_BYTES = 256 * 1024
SMALLEST_GZIPPED_BYTES = 600
OIDC_WITHIN_S = 600
# A page that waits for its turn to look holds a thread; it must not keep all others waiting.
PAGES_AT_ONCE = 120
# Already compressed, or sent in ranges: not to be touched on the way.
SENT_AS_THEY_ARE = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/geopackage+sqlite3",
)


def create_app(
    settings: Settings | None = None, configuration: Configuration | None = None
) -> FastAPI:
    """The portal of one installation; both arguments come from the environment unless given."""
    settings = (settings or current_settings()).prepare()
    configuration = configuration or current_configuration()
    app = FastAPI(
        title="Passerelle",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(protect)],
        lifespan=_life,
    )
    app.state.settings, app.state.configuration = settings, configuration
    app.state.portal_key = installation_key(settings, "portal")
    app.state.rates = RateLimits(configuration.rates)
    app.state.templates = templates()
    add_error_pages(app)
    app.add_exception_handler(SignInNeededError, signin.sign_in_needed)
    if configuration.oidc:
        _add_provider(app, configuration, configuration.oidc)
    _add_pages(app)
    _add_middleware(app, settings, configuration)
    return app


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the pages begins and ends with them."""
    current_default_thread_limiter().total_tokens = PAGES_AT_ONCE
    for begin in app.state.at_start:
        begin(app)
    try:
        yield
    finally:
        for end in app.state.at_end:
            end(app)


def _add_provider(app: FastAPI, configuration: Configuration, declared: Oidc) -> None:
    """Signing in through an OpenID provider; where none is declared, its pages do not exist."""
    from pipelines.portal.pages import oidc

    app.state.oidc = oidc.client_of(declared)
    app.include_router(oidc.router, include_in_schema=False)
    app.add_middleware(
        SessionMiddleware,  # keeps the state of a sign-in while the browser is at the provider
        secret_key=app.state.portal_key.hex(),
        session_cookie=cookie_name("oidc", configuration),
        max_age=OIDC_WITHIN_S,
        same_site="lax",
        https_only=configuration.is_secure,
    )


def _add_pages(app: FastAPI) -> None:
    app.state.at_start, app.state.at_end = [], []
    app.include_router(static_files.router, dependencies=[Depends(public)])
    for module in PAGES:
        app.include_router(module.router, include_in_schema=False)
        app.state.at_start += [getattr(module, "begin", _nothing)]
        app.state.at_end += [getattr(module, "end", _nothing)]
    app.include_router(v1.router)
    shown = [one for one in iter_route_contexts(app.routes) if "GET" in (one.methods or ())]
    app.state.pages = frozenset(one.path for one in shown)
    app.state.page_patterns = tuple(compile_path(one.path or "")[0] for one in shown)


def _nothing(app: FastAPI) -> None:
    """A module with nothing to begin or end."""


def _add_middleware(app: FastAPI, settings: Settings, configuration: Configuration) -> None:
    """The last that is added is the first to see a request."""
    app.add_middleware(BodyLimitMiddleware, max_body_size=LARGEST_FORM_BYTES)
    app.add_middleware(FaultMiddleware)
    app.add_middleware(VisitorMiddleware, settings=settings, configuration=configuration)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(configuration.hosts))
    app.add_middleware(
        GZipMiddleware,
        minimum_size=SMALLEST_GZIPPED_BYTES,
        compresslevel=6,
        exclude_content_types=SENT_AS_THEY_ARE,
    )
    app.add_middleware(HeadersMiddleware, is_secure=configuration.is_secure)
    app.add_middleware(AccessLogMiddleware)


class FaultMiddleware:
    """Answers a fault of ours with a page; where an answer has begun, the connection is cut."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_and_look(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        request = Request(scope)
        if trouble := visitor_of(request).trouble:
            await unavailable(request, trouble)(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send_and_look)
        except Exception:
            answered = unforeseen(request)
            if has_begun:  # the server would log the fault's own words, which may quote a value
                raise CutOffError from None
            await answered(scope, receive, send)


class CutOffError(Exception):
    """An answer that had begun and cannot go on; the log has its trace already."""

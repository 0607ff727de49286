"""Who sends a request: the session or token, the person, the language; one look-up a request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from babel import negotiate_locale
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.ledger.errors import LedgerError
from pipelines.portal.configuration import Configuration
from pipelines.portal.words import use
from schemas.text import LANGUAGES, Language

API = "/api/"
STATIC = "/static/"
LANGUAGE_COOKIE = "language"
A_YEAR_S = 365 * 24 * 3600


@dataclass
class Visitor:
    """What is known of the sender; `session` and `visit` are what cookies said, proved or not.

    `visit` is this browser, from its first page until somebody signs out in it. `filled_by` is the
    account for which a form that is sent now was shown, where its session has ended since.
    `trouble` is why nothing is known, where the accounts cannot be read: the answer is then 503.
    """

    language: Language
    person: Person | None = None
    session: str = ""
    visit: str = ""
    is_visit_new: bool = False
    address: str = ""
    filled_by: str = ""
    trouble: LedgerError | None = None

    @property
    def account(self) -> str:
        """The account that is signed in; "" for nobody."""
        return self.person.user_id if self.person else ""

    @property
    def binding(self) -> str:
        """What forms are bound to: this browser, and the account that is signed in in it.

        Not the session: a form that stays open while it ends, or while its person signs in anew in
        another window, is not lost.
        """
        if not self.visit:
            self.begin_visit()
        return bound(self.visit, self.account)

    def begin_visit(self) -> None:
        """Take this browser for another one from now on: what was bound to it is worth nothing."""
        self.visit, self.is_visit_new = secrets.token_urlsafe(24), True


def bound(visit: str, account: str) -> str:
    """A browser and an account in it, as one text that secrets are made for."""
    return f"visit:{visit}\n{account}"


def visitor_of(request: HTTPConnection) -> Visitor:
    """The visitor of this request."""
    visitor: Visitor = request.state.visitor
    return visitor


def cookie_name(name: str, configuration: Configuration) -> str:
    """`__Host-` binds a cookie to this host and to https; plain http on loopback cannot have it."""
    return f"__Host-passerelle-{name}" if configuration.is_secure else f"passerelle-{name}"


def set_cookie(
    headers: MutableHeaders,
    configuration: Configuration,
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    same_site: str = "Lax",
) -> None:
    """Add a cookie that scripts and other sites cannot read; `max_age=0` takes it away."""
    parts = [f"{cookie_name(name, configuration)}={value}", "Path=/", "HttpOnly"]
    parts.append(f"SameSite={same_site}")
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if configuration.is_secure:
        parts.append("Secure")
    headers.append("Set-Cookie", "; ".join(parts))


class VisitorMiddleware:
    """Finds the visitor before anything else runs and keeps the language they chose."""

    def __init__(self, app: ASGIApp, settings: Settings, configuration: Configuration) -> None:
        self.app, self.settings, self.configuration = app, settings, configuration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visitor, chosen = await self._find(scope)
        scope.setdefault("state", {})["visitor"] = visitor
        use(visitor.language)

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if chosen:
                    arguments = (self.configuration, LANGUAGE_COOKIE, chosen)
                    set_cookie(headers, *arguments, max_age=A_YEAR_S)
                if visitor.is_visit_new:
                    set_cookie(headers, self.configuration, "visit", visitor.visit)
            await send(message)

        await self.app(scope, receive, send_with_cookies)

    async def _find(self, scope: Scope) -> tuple[Visitor, Language | None]:
        request = Request(scope)
        cookies = {name: one.value for name, one in _cookies(request.headers).items()}
        chosen = _known(QueryParams(scope["query_string"]).get("lang"))
        visitor = Visitor(
            language="en",
            visit=cookies.get(cookie_name("visit", self.configuration), ""),
            address=request.client.host if request.client else "",
        )
        path = scope["path"]
        try:
            if path.startswith(API):
                await self._by_token(visitor, request.headers)
            elif not path.startswith(STATIC):
                await self._by_session(visitor, cookies)
        except LedgerError as error:
            visitor.trouble = error
        kept = _known(cookies.get(cookie_name(LANGUAGE_COOKIE, self.configuration)))
        own = visitor.person.language if visitor.person else None
        visitor.language = chosen or kept or _known(own) or accepted(request.headers)
        is_page = not path.startswith((API, STATIC))
        return visitor, chosen if is_page and chosen != kept else None

    async def _by_session(self, visitor: Visitor, cookies: dict[str, str]) -> None:
        from pipelines.accounts.sessions import person_of_session

        visitor.session = cookies.get(cookie_name("session", self.configuration), "")
        if visitor.session:
            visitor.person = await run_in_threadpool(
                person_of_session, self.settings, visitor.session
            )

    async def _by_token(self, visitor: Visitor, headers: Headers) -> None:
        kind, _space, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return
        from pipelines.accounts.tokens import person_of_token

        visitor.person = await run_in_threadpool(person_of_token, self.settings, token.strip())


def _cookies(headers: Headers) -> SimpleCookie:
    cookies = SimpleCookie()
    for line in headers.getlist("cookie"):
        for piece in line.split(";"):  # one bad cookie of a neighbour does not hide ours
            try:
                cookies.load(piece.strip())
            except Exception:  # noqa: S112  (http.cookies.CookieError and whatever else)
                continue
    return cookies


def _known(value: Any) -> Language | None:
    return value if value in LANGUAGES else None


def accepted(headers: Headers) -> Language:
    """The language that the browser asks for; English where it asks for neither."""
    wanted: list[tuple[float, str]] = []
    for piece in headers.get("accept-language", "")[:200].split(","):
        tag, _semicolon, quality = piece.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.replace("-", "_")))
        except ValueError:
            continue
    tags = [tag for _quality, tag in sorted(wanted, key=lambda one: one[0])]
    return _known(negotiate_locale(tags, list(LANGUAGES))) or "en"

"""What is said when a request cannot be answered: a translated page, or problem+json for programs.

A page says a code and what to do, never a trace, a path or a value that was sent.
"""

from __future__ import annotations

import logging
import secrets
import sys
import traceback
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipelines.core.i18n import mark
from pipelines.ledger.errors import LedgerError
from pipelines.portal import words
from pipelines.portal.security.limits import address_wait_s, count_failure
from pipelines.portal.security.visitor import API, visitor_of
from pipelines.portal.services import AbsentError, BusyError
from pipelines.portal.web.addresses import redirect
from pipelines.portal.web.page import page
from pipelines.portal.words import _
from schemas.problem import DeclarationError

LOG = logging.getLogger("passerelle.portal")
LONGEST_CHAIN = 5


@dataclass(frozen=True)
class Said:
    """What happened, and what the reader can do."""

    title: str
    sentence: str


SAID = {
    400: Said(
        mark("This request could not be read"),
        mark("The browser sent something that we do not understand. Go back and try again."),
    ),
    401: Said(
        mark("Sign in first"),
        mark("This needs a personal token that has not expired, in the Authorization header."),
    ),
    403: Said(
        mark("This form is no longer good"),
        mark("It was open for too long, or you signed in again since. Open the page and resend."),
    ),
    404: Said(
        mark("There is nothing here for you"),
        mark("The page does not exist, or it is not one of yours. Look in the menu."),
    ),
    405: Said(
        mark("This cannot be done here"),
        mark("The page exists, but not for this kind of request. Start again from the menu."),
    ),
    413: Said(
        mark("This is too large"),
        mark("More was sent than this page takes. Send a smaller file or less text."),
    ),
    422: Said(
        mark("Something that was sent cannot be used"),
        mark("Check what you filled in and send it again."),
    ),
    429: Said(
        mark("Too many requests"),
        mark("Nothing is wrong; this was asked too often. Try again in {seconds} seconds."),
    ),
    500: Said(
        mark("Something went wrong on our side"),
        mark("Nothing half-made was kept. Try again; if it stays, tell us the code below."),
    ),
    503: Said(
        mark("Not available at the moment"),
        mark("Something that this page needs does not answer. Try again in a few minutes."),
    ),
}


def add_error_pages(app: FastAPI) -> None:
    """Answer every fault of every route in the words of the reader."""
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(AbsentError, _absent)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(LedgerError, unavailable)
    app.add_exception_handler(DeclarationError, unavailable)


def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (how it was registered)
    headers = dict(error.headers or {})
    if location := headers.get("Location"):
        return redirect(location)
    response = answer(request, error.status_code, wait=headers.get("Retry-After", ""))
    response.headers.update(headers)
    return response


def _not_valid(request: Request, error: Exception) -> Response:
    """A part of an address that is no number, say, names nothing; an API says which part."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if not request.url.path.startswith(API):
        return answer(request, 404)
    faults = [
        {"where": ".".join(str(part) for part in one["loc"]), "kind": one["type"]}
        for one in error.errors()
    ]
    return problem(request, 422, faults=faults)


def unavailable(request: Request, error: Exception) -> Response:
    """The ledger, the agreements or the contracts cannot be relied on; the log says why.

    An agreement that cannot be read closes all of them: a restriction may be hidden in it.
    """
    LOG.error("not available: %s", error)
    return answer(request, 503)


def _absent(request: Request, _error: Exception) -> Response:
    return answer(request, 404)


def _busy(request: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)  # noqa: S101
    response = answer(request, 503)
    response.headers["Retry-After"] = str(error.wait_s)
    return response


def no_token(request: Request) -> Response:
    """What a program is told that showed no token, or one that is not good."""
    if "authorization" in request.headers:  # what was shown is not one, or no longer
        if wait_s := address_wait_s(request):
            response = problem(request, 429, wait=str(wait_s))
            response.headers["Retry-After"] = str(wait_s)
            return response
        count_failure(request)
    response = problem(request, 401)
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def answer(request: Request, status: int, *, wait: str = "", reference: str = "") -> Response:
    """The answer to a request that failed with `status`."""
    if request.url.path.startswith(API):
        return problem(request, status, wait=wait, reference=reference)
    said = _said(status)
    return page(
        request,
        "error.html",
        status=status,
        code=f"WEB-{status}",
        title=_(said.title),
        sentence=_sentence(said, wait),
        reference=reference,
    )


def problem(
    request: Request, status: int, *, wait: str = "", reference: str = "", **more: object
) -> Response:
    """The same for a program (RFC 9457)."""
    words.use(visitor_of(request).language)
    said = _said(status)
    body = {
        "type": "about:blank",
        "title": _(said.title),
        "status": status,
        "detail": _sentence(said, wait),
        "code": f"WEB-{status}",
    }
    if reference:
        body["reference"] = reference
    return JSONResponse(body | more, status_code=status, media_type="application/problem+json")


def _said(status: int) -> Said:
    return SAID.get(status) or SAID[500 if status >= 500 else 400]


def _sentence(said: Said, wait: str) -> str:
    return _(said.sentence, seconds=wait or "60") if "{" in said.sentence else _(said.sentence)


def unforeseen(request: Request) -> Response:
    """The answer to a fault of ours: the log has its trace under the reference that is shown."""
    reference = secrets.token_hex(4)
    LOG.error("reference %s\n%s", reference, _trace(sys.exc_info()[1]))
    return answer(request, 500, reference=reference)


def _trace(error: BaseException | None) -> str:
    """Where a fault happened and of what kind, without its message: that may quote a value."""
    parts: list[str] = []
    while error is not None and len(parts) < LONGEST_CHAIN:
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{frames}{type(error).__module__}.{type(error).__name__}")
        error = error.__cause__ or error.__context__
    return "\n\n".join(reversed(parts))

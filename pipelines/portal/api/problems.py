"""How the API says no: problem+json (RFC 9457) with our codes, the same shape for every fault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from pipelines.core.errors import CodedError, coded
from pipelines.core.i18n import mark
from pipelines.portal.forms import Form
from pipelines.portal.security.visitor import visitor_of
from pipelines.portal.web.errors import problem
from pipelines.portal.web.request import language_of
from pipelines.portal.words import _
from pipelines.release.disclosure.conflict_words import as_data
from pipelines.release.errors import ReleaseError
from schemas.problem import AgreementError
from schemas.text import Language

MEDIA = "application/problem+json"
NOT_RELIED_ON = mark("The agreements cannot be relied on just now, so nothing leaves.")


class Fault(BaseModel):
    """One part of a request that cannot be used."""

    where: str = Field(description="The field or parameter.", examples=["body.since"])
    kind: str = Field("", description="What is wrong, as a word.", examples=["date_parsing"])
    message: str = Field("", description="What is wrong, as a sentence.")


class EarlierCounts(BaseModel):
    """Counts or records given or shown before that stand in the way of counts asked for."""

    extract: str = Field(description="The reference of the extract, or of a look at one.")
    recipient: str
    day: dt.date
    form: str = Field(description="`counts` or `records`.")
    differs: list[str] = Field(
        description="Dimensions, or `period`, `areas`, `offences`, `measures`, `purpose`, "
        "`records`: in what the two differ.",
    )


class CoarserForm(BaseModel):
    """A form of the same request that passes now."""

    said: str = Field(description="In what it is other, as a sentence.")
    dimensions: list[str]
    measures: list[str]
    since: dt.date | None
    until: dt.date | None
    areas: list[str]
    offences: list[str]


class Conflict(BaseModel):
    """Why counts were refused beside earlier ones, and what passes; never a number."""

    earlier: list[EarlierCounts]
    has_others: bool = Field(description="True where what another organisation has is, too.")
    coarser: list[CoarserForm]
    reference: str = Field(description="By what the providers find it, to consent in writing.")
    providers: list[str] = Field(description="The organisations that would all have to consent.")


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field("about:blank", description="Always about:blank: the code says which.")
    title: str = Field(description="What happened.", examples=["There is nothing here for you"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What can be done about it.")
    code: str = Field(description="A stable code.", examples=["WEB-404", "REL-105", "SQL-106"])
    faults: list[Fault] = Field([], description="Which parts of the request are at fault.")
    reference: str = Field("", description="Tell us this where the fault is ours.")
    conflict: Conflict | None = Field(
        None, description="Of counts that were refused: `REL-108`, `REL-118`."
    )


class ApiError(CodedError):
    """The request is understood and not granted; the sentence is in its language already."""

    def __init__(self, status: int, detail: str, faults: dict[str, str] | None = None):
        super().__init__(f"WEB-{status}")
        self.kind_status, self.detail, self._faults = status, detail, faults or {}  # type: ignore[misc]

    def text(self, language: Language = "en") -> str:
        """What can be done about it."""
        return self.detail

    def hint(self, language: Language = "en") -> str:
        """The sentence says it."""
        return ""

    def faults(self, language: Language) -> dict[str, str]:
        """What is wrong with each part of the request."""
        return self._faults


DESCRIPTIONS = {
    400: "The request could not be read.",
    401: "A personal token is missing, expired or revoked.",
    404: "There is no such thing, or it is not yours, or the token lacks the scope.",
    408: "The file stopped arriving.",
    409: "It is no longer possible.",
    413: "The body is too large.",
    416: "The range is not in the file.",
    422: "Something in the request cannot be used; `faults` and `code` say what.",
    429: "Too many requests; `Retry-After` says when to try again.",
    503: "Something that this needs does not answer, or there is no room.",
    507: "There is no room for the file.",
}
CONTENT = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def refusals(*more: int) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of an operation: those that each one has, and some of its own."""
    return {
        status: {"description": DESCRIPTIONS[status], "content": CONTENT}
        for status in sorted({400, 401, 404, 422, 429, 503, *more})
    }


def check(form: Form) -> None:
    """Refuse where a form found faults; its fields are those of the body."""
    if not form.is_good:
        faults = {f"body.{name}": message for name, message in form.errors.items()}
        raise ApiError(422, _("Something that was sent cannot be used"), faults)


class ProblemRoute(APIRoute):
    """A route whose refusals become problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with our refusals caught."""
        handle = super().get_route_handler()

        async def caught(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                answer = _answer(request, error)
                if answer is None:
                    raise
                return answer

        return caught


def _answer(request: Request, error: Exception) -> Response | None:
    """The problem that a refusal of one of our parts becomes; None for what is none."""
    if isinstance(error, AgreementError):  # its own sentences name files
        return problem(request, 503, code="AGR-503", detail=_(NOT_RELIED_ON))
    told = coded(error)
    if told is None or not told.http_status:
        return None
    language, person = language_of(request), visitor_of(request).person
    more: dict[str, Any] = {}
    faults = told.faults(language)
    if faults or isinstance(told, ApiError):
        more["faults"] = [{"where": where, "message": said} for where, said in faults.items()]
    if isinstance(told, ReleaseError) and told.conflict and person:
        more["conflict"] = as_data(told.conflict, language, person.organisation)
    detail = f"{told.text(language)} {told.hint(language)}".strip()
    return problem(
        request, told.http_status, code=told.api_code or told.code, detail=detail, **more
    )

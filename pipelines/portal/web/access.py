"""Who may open a route: everybody, or those who may do the action that it names."""

from __future__ import annotations

from typing import NoReturn

from fastapi import HTTPException, Request

from pipelines.accounts.permissions import Person, may
from pipelines.portal.security.visitor import visitor_of

PASSWORD_PAGE = "/account/password"  # noqa: S105  (an address, not a password)


class SignInNeededError(Exception):
    """Nobody is signed in, and somebody must be."""


class ActionGuard:
    """A dependency of a route: the person, who may do `action`. Others find no such page."""

    def __init__(self, action: str) -> None:
        """Keep the action; a test reads it from each route."""
        self.action = action

    async def __call__(self, request: Request) -> Person:
        """The person who asks. Raises SignInNeededError, or 404 as for a page that is not."""
        visitor = visitor_of(request)
        person = visitor.person
        if person is None:
            raise SignInNeededError
        if not may(person, self.action):
            raise HTTPException(404)
        if person.must_change_password and request.url.path != PASSWORD_PAGE:
            raise HTTPException(303, headers={"Location": PASSWORD_PAGE})
        return person


def allowed(action: str) -> ActionGuard:
    """`person: Person = Depends(allowed("extract.read_own"))` opens a route to whom it names."""
    return ActionGuard(action)


async def public() -> None:
    """`dependencies=[Depends(public)]` says that a route is meant for everybody, even nobody."""


def not_found() -> NoReturn:
    """Answer as for a page that does not exist: what is absent and what is not yours look alike."""
    raise HTTPException(404)

"""Signing in through an OpenID provider: authorization code with PKCE, state and nonce.

A provider only proves who somebody is: roles and organisation are those of our account, whatever
the provider says.
"""

from __future__ import annotations

import logging
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from fastapi import APIRouter, Depends, Request
from httpx import HTTPError
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pipelines.accounts.errors import AccountError
from pipelines.accounts.people import find_user, link_oidc, person_of_oidc
from pipelines.accounts.permissions import Person
from pipelines.core.settings import Settings
from pipelines.ledger.chain import append
from pipelines.portal.configuration import LINK_BY_EMAIL, LINK_BY_NAME, Oidc
from pipelines.portal.forms import blank
from pipelines.portal.pages.sign_in import signed_in
from pipelines.portal.security.limits import check_address, count_failure
from pipelines.portal.web.access import public
from pipelines.portal.web.addresses import local_path
from pipelines.portal.web.page import PROVIDER_BACK, page
from pipelines.portal.web.request import configuration_of, settings_of
from pipelines.portal.words import _

LOG = logging.getLogger("passerelle.portal")
SCOPES = "openid profile email"
WAIT_S = 10.0
NEXT = "passerelle_next"
TROUBLES = (AuthlibBaseError, JoseError, HTTPError, ValueError, KeyError, RuntimeError)

router = APIRouter(dependencies=[Depends(public)])


class UnknownIdentityError(Exception):
    """The provider proved somebody for whom there is no account here."""


def client_of(oidc: Oidc) -> StarletteOAuth2App:
    """The client of the declared provider; it looks the provider's addresses up at first use."""
    registry = OAuth()
    registry.register(
        name="provider",
        client_id=oidc.client_id,
        client_secret=oidc.client_secret or None,
        server_metadata_url=f"{oidc.issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPES,
            "code_challenge_method": "S256",
            "timeout": WAIT_S,
            "token_endpoint_auth_method": "client_secret_basic" if oidc.client_secret else "none",
        },
    )
    client: StarletteOAuth2App = registry.create_client("provider")
    return client


@router.get("/sign-in/oidc")
async def go_to_provider(request: Request) -> Response:
    """Send the browser to the provider; a state, a nonce and a challenge wait for its return."""
    client: StarletteOAuth2App = request.app.state.oidc
    await run_in_threadpool(check_address, request)
    request.session.clear()
    request.session[NEXT] = local_path(request.query_params.get("next", ""))
    base = configuration_of(request).url or str(request.base_url).rstrip("/")
    try:
        response: Response = await client.authorize_redirect(request, f"{base}{PROVIDER_BACK}")
    except TROUBLES as error:
        return await _refused(request, error)
    return response


@router.get(PROVIDER_BACK)
async def back_from_provider(request: Request) -> Response:
    """Take what the provider says, prove it, and sign in the account that it belongs to."""
    client: StarletteOAuth2App = request.app.state.oidc
    settings = settings_of(request)
    configuration = configuration_of(request)
    assert configuration.oidc is not None  # noqa: S101  (there is a client)
    await run_in_threadpool(check_address, request)
    wanted = local_path(str(request.session.get(NEXT, "")))
    try:
        token = await client.authorize_access_token(request)
        claims = await _claims(client, token, configuration.oidc)
        person = await run_in_threadpool(person_for, settings, configuration.oidc, claims)
    except (*TROUBLES, UnknownIdentityError) as error:
        return await _refused(request, error)
    finally:
        request.session.clear()
    return await run_in_threadpool(signed_in, request, person, wanted, "oidc")


async def _claims(client: StarletteOAuth2App, token: dict[str, Any], oidc: Oidc) -> dict[str, Any]:
    """What the proved ID token says, and what the provider adds of the same person when asked."""
    claims = dict(token.get("userinfo") or {})
    if str(claims.get("iss", "")).rstrip("/") != oidc.issuer or not claims.get("sub"):
        raise ValueError("no identity of the declared issuer")
    if oidc.link and oidc.link.partition("@")[0] not in claims:
        more = dict(await client.userinfo(token=token))
        if more.get("sub") == claims["sub"]:
            claims = more | claims
    return claims


def person_for(settings: Settings, oidc: Oidc, claims: dict[str, Any]) -> Person:
    """The account of a proved identity; linked now where that is declared.

    Raises UnknownIdentityError.
    """
    subject = str(claims["sub"])
    if person := person_of_oidc(settings, oidc.issuer, subject):
        return person
    name = _name_in(claims, oidc.link)
    try:
        user = find_user(settings, name) if name else None
        # An account that is linked already is not taken over by whoever has its name elsewhere.
        if user and user.is_active and user.oidc_subject is None:
            link_oidc(settings, user.name, oidc.issuer, subject, actor=user.name)
            if person := person_of_oidc(settings, oidc.issuer, subject):
                return person
    except AccountError:
        pass
    raise UnknownIdentityError


def _name_in(claims: dict[str, Any], link: str) -> str:
    """The name of the account that a claim stands for, where it may."""
    if link == LINK_BY_NAME:
        return str(claims.get("preferred_username") or "")
    if link.startswith(LINK_BY_EMAIL) and claims.get("email_verified") is True:
        name, _at, domain = str(claims.get("email") or "").casefold().rpartition("@")
        return name if domain == link.removeprefix(LINK_BY_EMAIL).casefold() else ""
    return ""


async def _refused(request: Request, error: Exception) -> Response:
    """Back at the sign-in page, without the provider's own words: they may name a person."""
    LOG.warning("sign-in through the provider failed: %s", type(error).__name__)
    await run_in_threadpool(count_failure, request)
    if isinstance(error, UnknownIdentityError):
        why, status = _("You are known there, but you have no account here."), 403
        details = {"method": "oidc", "account": "unknown"}
        await run_in_threadpool(
            lambda: append(settings_of(request), "signin.failed", actor="", details=details)
        )
    elif isinstance(error, HTTPError):
        why, status = _("The sign-in service does not answer. Try again in a few minutes."), 503
    else:
        why, status = _("The sign-in was not completed. Please try again."), 400
    form = blank(next="/")
    return page(request, "signin/sign_in.html", status=status, form=form, refusal=why, kept="")

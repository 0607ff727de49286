"""A form is ours: a secret in it, bound to browser and account, that no other site can know.

The API takes no cookie, so it needs no such secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from pipelines.portal.security.visitor import API, bound, visitor_of

FIELD = "csrf"
SIGN_IN = "/sign-in"  # may stand open in a second window while somebody signs in in the first
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_FIELDS, FORM_FILES = 1000, 1
KEY_BYTES = 32


def make_token(key: bytes, visit: str, account: str = "", path: str = "") -> str:
    """A secret for one form; masked, so that two pages never hold the same bytes to compare.

    It names the account for which the form was shown, so that the form can be told, once the
    session ended, from one of somebody else.
    """
    pad = secrets.token_bytes(KEY_BYTES)
    digest = _digest(key, bound(visit, account), path)
    masked = bytes(a ^ b for a, b in zip(pad, digest, strict=True))
    return f"{urlsafe_b64encode(pad + masked).decode('ascii')}.{account}"


def account_of(token: str, key: bytes, visit: str, path: str = "") -> str | None:
    """For which account (nobody: "") a form was shown in this browser; None: it is not ours."""
    masked, _dot, account = token.partition(".")
    try:
        both = urlsafe_b64decode(masked.encode("ascii"))
    except ValueError:
        return None
    if len(both) != 2 * KEY_BYTES:
        return None
    plain = bytes(a ^ b for a, b in zip(both[:KEY_BYTES], both[KEY_BYTES:], strict=True))
    digest = _digest(key, bound(visit, account), path)
    return account if hmac.compare_digest(plain, digest) else None


def _digest(key: bytes, binding: str, path: str) -> bytes:
    said = f"{binding}\n{path}".encode("utf-8", "surrogatepass")
    return hmac.new(key, said, hashlib.sha256).digest()


async def protect(request: Request) -> None:
    """Refuse a change that another site's page may have asked for. Runs before every route.

    An upload's secret stands in the address of its form, so that it is checked before one byte of
    the body is read; any other form's is in a field, and the form is read here, once. A form of an
    account whose session ended is ours, too: its route asks for sign-in, and the form comes back.
    """
    if request.method in SAFE_METHODS or request.scope["path"].startswith(API):
        return
    if _is_from_elsewhere(request):
        raise HTTPException(403)
    key: bytes = request.app.state.portal_key
    visitor = visitor_of(request)
    if token := request.query_params.get(FIELD):
        account = account_of(token, key, visitor.visit, request.url.path)
    else:
        form = await request.form(max_fields=FORM_FIELDS, max_files=FORM_FILES)
        request.state.form = form
        account = account_of(str(form.get(FIELD, "")), key, visitor.visit)
    if not visitor.visit or account is None:
        raise HTTPException(403)
    if account and not visitor.person:
        visitor.filled_by = account
    elif account != visitor.account and not (account == "" and request.url.path == SIGN_IN):
        raise HTTPException(403)


def _is_from_elsewhere(request: Request) -> bool:
    """What the browser itself says of where the form stood; an old one may say nothing."""
    if site := request.headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != request.headers.get("host")

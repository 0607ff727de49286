"""A form is ours: a secret in it, bound to the session, that no other site can know.

Not here: who may send it (`web.allowed`). The API takes no cookie, so it needs no such secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from pipelines.portal.security.visitor import API, visitor_of

FIELD = "csrf"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_FIELDS, FORM_FILES = 1000, 1
KEY_BYTES = 32


def make_token(key: bytes, binding: str, path: str = "") -> str:
    """A secret for one form; masked, so that two pages never hold the same bytes to compare."""
    pad = secrets.token_bytes(KEY_BYTES)
    masked = bytes(a ^ b for a, b in zip(pad, _digest(key, binding, path), strict=True))
    return urlsafe_b64encode(pad + masked).decode("ascii")


def is_ours(token: str, key: bytes, binding: str, path: str = "") -> bool:
    """True where the token was made for this binding (and this path)."""
    try:
        both = urlsafe_b64decode(token.encode("ascii"))
    except ValueError:
        return False
    if len(both) != 2 * KEY_BYTES:
        return False
    plain = bytes(a ^ b for a, b in zip(both[:KEY_BYTES], both[KEY_BYTES:], strict=True))
    return hmac.compare_digest(plain, _digest(key, binding, path))


def _digest(key: bytes, binding: str, path: str) -> bytes:
    return hmac.new(key, f"{binding}\n{path}".encode(), hashlib.sha256).digest()


async def protect(request: Request) -> None:
    """Refuse a change that another site's page may have asked for. Runs before every route.

    An upload's secret stands in the address of its form, so that it is checked before one byte of
    the body is read; any other form's is in a field, and the form is read here, once.
    """
    if request.method in SAFE_METHODS or request.scope["path"].startswith(API):
        return
    if _is_from_elsewhere(request):
        raise HTTPException(403)
    key: bytes = request.app.state.portal_key
    visitor = visitor_of(request)
    if token := request.query_params.get(FIELD):
        is_right = is_ours(token, key, visitor.binding, request.url.path)
    else:
        form = await request.form(max_fields=FORM_FIELDS, max_files=FORM_FILES)
        request.state.form = form
        is_right = is_ours(str(form.get(FIELD, "")), key, visitor.binding)
    if not is_right:
        raise HTTPException(403)


def _is_from_elsewhere(request: Request) -> bool:
    """What the browser itself says of where the form stood; an old one may say nothing."""
    if site := request.headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != request.headers.get("host")

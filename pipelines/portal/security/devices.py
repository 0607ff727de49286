"""The cookie by which a known device proves itself: one for each account that signed in fully.

It holds the name of the account, a random token and our code over both, which scripts cannot read.
It opens nothing by itself: where it is shown, guesses made elsewhere are no hindrance.
"""

from __future__ import annotations

import hashlib
import hmac

from fastapi import Request
from starlette.responses import Response

from pipelines.accounts.devices import LASTS, is_known_device, remember_device
from pipelines.accounts.permissions import Person
from pipelines.core.i18n import mark
from pipelines.portal.security.visitor import cookie_name, set_cookie
from pipelines.portal.words import _

PREFIX = "device-"
NAME_LENGTH = 16
MOST_LOOKED_AT = 20
# What a browser says of itself is not kept: one of these words is. The first that fits counts.
BROWSERS = (
    *(("edg", "Edge"), ("opr/", "Opera"), ("samsungbrowser", "Samsung Internet")),
    *(("firefox", "Firefox"), ("fxios", "Firefox"), ("crios", "Chrome")),
    *(("chromium", "Chromium"), ("chrome", "Chrome"), ("safari", "Safari")),
)
SYSTEMS = (
    *(("android", "Android"), ("iphone", "iPhone"), ("ipad", "iPad"), ("windows", "Windows")),
    *(("mac os", "Mac"), ("cros", "ChromeOS"), ("linux", "Linux")),
)
SOME_BROWSER = mark("a browser")


def device_token(request: Request, name: str) -> str:
    """The token that this browser shows for the account of this name; "" where it shows none."""
    cookie = cookie_name(_cookie(request, name), request.app.state.configuration)
    return _proved(request, request.cookies.get(cookie, ""))[1]


def is_known_somewhere(request: Request, name: str = "") -> bool:
    """True in a browser that is known to this account, or to any where none is named."""
    settings = request.app.state.settings
    if name:
        token = device_token(request, name)
        return bool(token) and is_known_device(settings, name, token)
    start = cookie_name(PREFIX, request.app.state.configuration)
    shown = [value for key, value in request.cookies.items() if key.startswith(start)]
    proved = [_proved(request, value) for value in shown[:MOST_LOOKED_AT]]
    return any(token and is_known_device(settings, named, token) for named, token in proved)


def know_device(request: Request, response: Response, person: Person) -> None:
    """Know this browser for the account from now on, and give it the cookie that says so."""
    shown = device_token(request, person.name)
    token = remember_device(request.app.state.settings, person, shown, _label(request))
    value = f"{person.name}:{token}:{_code(request, person.name, token)}"
    lasts_s = int(LASTS.total_seconds())
    configuration = request.app.state.configuration
    arguments = (response.headers, configuration, _cookie(request, person.name), value)
    set_cookie(*arguments, max_age=lasts_s, same_site="Strict")


def label_words(label: str) -> str:
    """A device as it is listed: browser and system."""
    return label or _(SOME_BROWSER)


def _cookie(request: Request, name: str) -> str:
    name = name.casefold().strip()
    said = hmac.new(request.app.state.portal_key, f"device of {name}".encode(), hashlib.sha256)
    return f"{PREFIX}{said.hexdigest()[:NAME_LENGTH]}"


def _proved(request: Request, value: str) -> tuple[str, str]:
    """The account and the token of a cookie that is ours; both empty where it is not."""
    name, _colon, rest = value.partition(":")
    token, _colon, code = rest.partition(":")
    ours = _code(request, name, token)
    return (name, token) if hmac.compare_digest(code.encode(), ours.encode()) else ("", "")


def _code(request: Request, name: str, token: str) -> str:
    said = f"device\n{name}\n{token}".encode("utf-8", "replace")
    return hmac.new(request.app.state.portal_key, said, hashlib.sha256).hexdigest()


def _label(request: Request) -> str:
    says = request.headers.get("user-agent", "").lower()[:500]
    found = (next((w for sign, w in known if sign in says), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, found))

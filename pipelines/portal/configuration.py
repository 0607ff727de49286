"""How this installation's portal is reached and signed in to, from the environment."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipelines.core.i18n import mark
from pipelines.core.settings import SettingError, truth

LOG = logging.getLogger("passerelle.portal")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
DEFAULT_LISTEN = "127.0.0.1:8000"
# What one person may do, whatever the address; `sign_in_address`: how often sign-ins from there may
# fail, since a whole mission may be behind one. `PASSERELLE_RATE_LIMITS` changes them.
DEFAULT_RATES = {
    "sign_in_address": "300/10 minute",
    "upload": "60/hour",
    "extract": "60/hour",
    "preview": "60/minute",
    "consent": "30/hour",
    "download": "300/hour",
    "sql": "30/minute",
    "token": "20/hour",
    "api": "120/minute",
}
# No longer a setting: how fast an account may be tried (`pipelines/accounts/delays.py`).
RETIRED_RATES = ("sign_in_account",)
LINK_BY_NAME, LINK_BY_EMAIL = "preferred_username", "email@"


@dataclass(frozen=True)
class Oidc:
    """The provider that people sign in with, and how its people are matched with our accounts.

    `link` says how somebody who comes for the first time finds an account that is there: not at all
    (the operator links it), by `preferred_username`, or by `email@un.org`: by the part before the @
    of a verified address of that domain.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str = "OpenID Connect"
    link: str = ""


@dataclass(frozen=True)
class Configuration:
    """What the portal is told; every value has a default that suits one machine."""

    url: str = ""
    listen: str = DEFAULT_LISTEN
    trusted_proxy: str = ""
    is_local_sign_in: bool = True
    oidc: Oidc | None = None
    dagster_url: str = ""
    rates: dict[str, str] = field(default_factory=lambda: dict(DEFAULT_RATES))

    @property
    def is_secure(self) -> bool:
        """True where people reach the portal by https: cookies are then for https alone."""
        return urlsplit(self.url).scheme == "https"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which the portal may be called; any other Host header is refused."""
        declared = urlsplit(self.url).hostname
        return (declared, *LOOPBACK_NAMES) if declared else LOOPBACK_NAMES

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on. Raises SettingError where they cannot be used."""
        host, _colon, port = self.listen.rpartition(":")
        if not host or not port.isdigit():
            raise SettingError("PORTAL_LISTEN", mark("must be host:port"))
        return host.strip("[]"), int(port)


def current_configuration() -> Configuration:
    """The configuration from `PASSERELLE_*`; the table of them is in docs/settings.md.

    Raises ValueError, SettingError where one value is wrong, before anything is served with it.
    """
    of = os.environ.get
    url = of("PASSERELLE_PORTAL_URL", "").rstrip("/")
    if url and urlsplit(url).scheme not in ("http", "https"):
        raise SettingError("PORTAL_URL", mark("must begin with https://"))
    configuration = Configuration(
        url=url,
        listen=of("PASSERELLE_PORTAL_LISTEN", DEFAULT_LISTEN),
        trusted_proxy=of("PASSERELLE_TRUSTED_PROXY", ""),
        is_local_sign_in=truth("PASSERELLE_LOCAL_SIGN_IN", default=True),
        oidc=_oidc(),
        dagster_url=of("PASSERELLE_DAGSTER_URL", "").rstrip("/"),
        rates={**DEFAULT_RATES, **_rates(of("PASSERELLE_RATE_LIMITS", ""))},
    )
    host, _port = configuration.address
    if host not in LOOPBACK_NAMES and not configuration.is_secure:
        needed = mark("beyond this machine needs PASSERELLE_PORTAL_URL with https://")
        raise SettingError("PORTAL_LISTEN", needed)
    if not configuration.is_local_sign_in and configuration.oidc is None:
        raise SettingError("LOCAL_SIGN_IN", mark("may be no only with PASSERELLE_OIDC_ISSUER"))
    return configuration


def _oidc() -> Oidc | None:
    issuer = os.environ.get("PASSERELLE_OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        return None
    is_near = urlsplit(issuer).hostname in LOOPBACK_NAMES
    if urlsplit(issuer).scheme != "https" and not is_near:
        raise SettingError("OIDC_ISSUER", mark("must begin with https://"))
    link = os.environ.get("PASSERELLE_OIDC_LINK", "")
    if link and link != LINK_BY_NAME and not link.removeprefix(LINK_BY_EMAIL).count("."):
        raise SettingError("OIDC_LINK", mark("must be preferred_username or email@a.domain"))
    return Oidc(
        issuer=issuer,
        client_id=os.environ.get("PASSERELLE_OIDC_CLIENT_ID", ""),
        client_secret=os.environ.get("PASSERELLE_OIDC_CLIENT_SECRET", ""),
        name=os.environ.get("PASSERELLE_OIDC_NAME", "OpenID Connect"),
        link=link,
    )


def _rates(text: str) -> dict[str, str]:
    """`upload=100/hour; sql=10/minute` as a dictionary."""
    from limits import parse

    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        name, _sign, rate = (word.strip() for word in part.partition("="))
        if name in RETIRED_RATES:
            LOG.warning("PASSERELLE_RATE_LIMITS: %s has no meaning any more, take it out", name)
            continue
        if name not in DEFAULT_RATES:
            raise ValueError(f"PASSERELLE_RATE_LIMITS: there is no limit named {name}")
        try:
            parse(rate)
        except ValueError:
            raise ValueError(f"PASSERELLE_RATE_LIMITS: {rate} is not a rate") from None
        found[name] = rate
    return found

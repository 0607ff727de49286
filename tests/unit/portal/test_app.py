"""What every answer of the portal has: headers, language, error pages, files that may be kept."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request

from pipelines.core.settings import Settings, settings_for
from pipelines.portal.app import create_app
from pipelines.portal.configuration import Configuration, current_configuration
from pipelines.portal.security.csrf import make_token
from pipelines.portal.web import static_files
from pipelines.portal.web.access import public
from pipelines.portal.web.addresses import local_path, url
from tests.portal import Browser, cheap_passwords, signed_in

LARGEST_PAGE, LARGEST_STYLE = 150_000, 25_000


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cheap_passwords()
    return settings_for(tmp_path_factory.mktemp("portal"))


@pytest.fixture(scope="module")
def app(settings: Settings) -> FastAPI:
    app = create_app(settings, Configuration())

    @app.get("/fails", dependencies=[Depends(public)])
    def fails() -> None:
        raise RuntimeError(" ".join(["a secret", "that must not be shown"]))

    @app.get("/api/v1/fails", dependencies=[Depends(public)])
    def api_fails() -> None:
        raise RuntimeError(" ".join(["a secret", "that must not be shown"]))

    @app.get("/says/{status}", dependencies=[Depends(public)])
    def says(status: int) -> None:
        raise HTTPException(status)

    @app.post("/takes-more", dependencies=[Depends(public)], max_body_size=1 << 20)
    async def takes_more(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.mark.parametrize(
    "path", ["/sign-in", "/absent", "/fails", "/api/v1/absent", "/api/v1/me", "/says/500"]
)
def test_every_answer_forbids_scripts_framing_and_keeping(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers  # plain http on loopback
    assert "server" not in headers


def test_behind_https_cookies_and_headers_say_so(settings: Settings) -> None:
    secure = create_app(settings, Configuration(url="https://passerelle.example"))
    browser = Browser(secure)
    answer = browser.get("/sign-in", headers={"host": "passerelle.example"})
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-passerelle-visit=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


def test_another_host_is_refused(browser: Browser) -> None:
    assert browser.get("/sign-in", headers={"host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept-language": "fr-CF,fr;q=0.9,en;q=0.5"}, "fr"),
        ({"accept-language": "sg,en;q=0.2,fr;q=0.8"}, "fr"),
        ({"accept-language": "sw"}, "en"),
        ({"accept-language": ";;q=x,,"}, "en"),
    ],
)
def test_a_page_speaks_the_language_of_the_browser(
    browser: Browser, headers: dict[str, str], language: str
) -> None:
    assert f'<html lang="{language}">' in browser.get("/sign-in", headers=headers).text


def test_a_chosen_language_stays(browser: Browser) -> None:
    assert '<html lang="fr">' in browser.get("/sign-in?lang=fr").text
    assert '<html lang="fr">' in browser.get("/absent").text
    assert '<html lang="en">' in browser.get("/sign-in?lang=en").text
    assert '<html lang="en">' in browser.get("/sign-in?lang=xx").text


def test_the_language_links_keep_the_place(browser: Browser) -> None:
    text = browser.get("/sign-in?next=/tables").text
    assert 'href="/sign-in?next=%2Ftables&amp;lang=fr"' in text


@pytest.mark.parametrize("status", [400, 403, 404, 413, 429, 500, 503])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_error_is_a_page_with_a_code(browser: Browser, status: int, language: str) -> None:
    answer = browser.get(f"/says/{status}?lang={language}")
    assert answer.status_code == status
    assert f"WEB-{status}" in answer.text
    assert f'<html lang="{language}">' in answer.text


def test_our_own_fault_shows_a_reference_that_the_log_explains(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = browser.get("/fails")
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    reference = re.search(r"WEB-500 · ([0-9a-f]{8})", answer.text)
    assert reference and reference[1] in caplog.text
    assert "builtins.RuntimeError" in caplog.text and "test_app.py" in caplog.text
    assert "a secret that must not be shown" not in caplog.text, "a message may quote a value"


@pytest.mark.parametrize("path", ["/account", "/api/v1/absent"])
def test_without_its_database_the_portal_says_so(tmp_path: Path, path: str) -> None:
    nowhere = f"sqlite:///{tmp_path}/{'x' * 300}/ledger.db"
    browser = Browser(create_app(settings_for(tmp_path, database=nowhere), Configuration()))
    sent = {"cookie": "passerelle-session=x", "authorization": "Bearer psl_x"}
    answer = browser.get(path, headers=sent)
    assert answer.status_code == 503
    assert "WEB-503" in answer.text and "xxx" not in answer.text
    assert "content-security-policy" in answer.headers
    assert browser.get("/sign-in").status_code == 200


def test_a_program_gets_problem_json(browser: Browser) -> None:
    for path, status in (("/api/v1/absent", 404), ("/api/v1/fails", 500)):
        answer = browser.get(path, headers={"accept-language": "fr"})
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["code"]) == (status, f"WEB-{status}")
        assert "secret" not in answer.text


def test_a_part_of_an_address_that_is_no_number_is_an_absent_page(browser: Browser) -> None:
    assert browser.get("/says/what").status_code == 404


def test_a_large_form_is_refused_before_it_is_kept(browser: Browser) -> None:
    browser.get("/sign-in")
    large = {"csrf": "x", "name": "y" * 300_000}
    answer = browser.post("/sign-in", data=large)
    assert answer.status_code == 413
    assert "WEB-413" in answer.text


def test_without_a_declared_length_the_limit_holds_too(browser: Browser) -> None:
    pieces = (b"x" * 65_536 for _ in range(8))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=pieces, headers=form).status_code == 413


def test_a_route_may_take_more_and_has_its_own_limit(app: FastAPI, browser: Browser) -> None:
    browser.get("/sign-in")
    visit = browser.cookies["passerelle-visit"]
    secret = make_token(app.state.portal_key, visit, path="/takes-more")
    address = f"/takes-more?csrf={secret}"
    assert browser.post(address, content=b"x" * 500_000).json() == 500_000
    assert browser.post(address, content=b"x" * 1_100_000).status_code == 413
    without = browser.post("/takes-more?csrf=wrong", content=b"x" * 500_000)
    assert without.status_code == 403  # not one byte was read


def test_pages_are_small_and_pressed(app: FastAPI) -> None:
    browser = signed_in(app, ["mission_staff", "provider", "analyst", "oversight"])
    style = len(browser.get(static_files.static_address("style.css")).content)
    assert style < LARGEST_STYLE
    for path in ("/", "/account", "/account/tokens"):
        answer = browser.get(path)
        assert answer.headers["content-encoding"] == "gzip"
        assert len(answer.content) + style < LARGEST_PAGE


def test_no_page_has_a_script_or_a_style_of_its_own(app: FastAPI) -> None:
    """What the policy would refuse is not in any template."""
    templates = Path(static_files.FOLDER).parent / "templates"
    for file in templates.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"<script|<style|\sstyle=|\son(?!e=)[a-z]+=|javascript:", text), (
            file.name
        )


def test_the_style_sheet_may_be_kept_for_ever(browser: Browser) -> None:
    answer = browser.get(static_files.static_address("style.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert browser.get("/static/style.0000000000.css").status_code == 404
    assert browser.get("/static/..%2Fapp.py").status_code == 404


def test_the_style_sheet_meets_the_contrast_of_aa() -> None:
    css = (static_files.FOLDER / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    plain = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light))
    for colours in (plain, plain | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark))):
        for ground in ("paper", "sheet", "band", "wash"):
            for ink in ("ink", "soft", "accent"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
            assert contrast(colours["edge"], colours["sheet"]) >= 3
        for kind in ("good", "warn", "bad"):
            assert contrast(colours[kind], colours[f"{kind}-wash"]) >= 4.5
            assert contrast(colours[kind], colours["sheet"]) >= 4.5
        assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
        assert contrast(colours["on-accent"], colours["accent-strong"]) >= 4.5
        assert contrast(colours["focus"], colours["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG between two colours."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_log_names_routes_and_no_values(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="passerelle.portal"):
        Browser(app).get("/says/404?q=a-value")
        Browser(app).get("/a-person/of-this-name")
    assert "GET /says/{status} 404" in caplog.text
    assert "a-value" not in caplog.text and "a-person" not in caplog.text


ELSEWHERE = [
    *("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "\\\\x", "x"),
    *("javascript:alert(1)", "/\n/x", "", "/\t/elsewhere.example", "///x"),
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_only_our_own_pages_are_gone_on_to(path: str) -> None:
    assert local_path(path) == "/"


def test_our_own_pages_are_gone_on_to() -> None:
    assert local_path("/tables/incidents?x=1") == "/tables/incidents?x=1"
    assert url("/taken", who="", page=2, area=["a", "b"]) == "/taken?page=2&area=a&area=b"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PASSERELLE_PORTAL_LISTEN", "8000"),
        ("PASSERELLE_PORTAL_LISTEN", "0.0.0.0:8000"),
        ("PASSERELLE_PORTAL_URL", "ftp://x"),
        ("PASSERELLE_OIDC_ISSUER", "http://provider.example"),
        ("PASSERELLE_LOCAL_SIGN_IN", "no"),
        ("PASSERELLE_LOCAL_SIGN_IN", "fasle"),
        ("PASSERELLE_RATE_LIMITS", "nothing=1/minute"),
        ("PASSERELLE_RATE_LIMITS", "upload=often"),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match="PASSERELLE_"):
        current_configuration()


def test_a_link_to_accounts_needs_a_claim_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_OIDC_ISSUER", "https://provider.example")
    for value in ("name", "email", "email@"):
        monkeypatch.setenv("PASSERELLE_OIDC_LINK", value)
        with pytest.raises(ValueError, match="PASSERELLE_OIDC_LINK"):
            current_configuration()
    monkeypatch.setenv("PASSERELLE_OIDC_LINK", "email@un.example")
    assert current_configuration().oidc is not None


def test_rates_are_changed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_RATE_LIMITS", "upload=7/hour; api = 9/minute")
    rates = current_configuration().rates
    assert (rates["upload"], rates["api"], rates["sql"]) == ("7/hour", "9/minute", "30/minute")

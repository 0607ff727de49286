"""Bad input at every field of every form, as the rendered pages have them, in both languages.

Nothing is listed here: each role walks the pages that its menu and links lead to, and every form
that is found there is sent with each of its fields spoilt in turn. Whatever is refused is said in
the reader's language beside its field, and what was typed is there again, as text.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

import pytest

from pipelines.core.settings import settings_for
from tests.portal import PASSWORD, ROLES, make_app, signed_in

MARKUP = "\"'><img src=x onerror=alert(1)>{{7*7}}"
BAD = {
    "empty": [""],
    "blank": ["   "],
    "long": ["y" * 5000],
    "controls": ["a\x00b\x1b[31m"],
    "wrong code": ["no_such_code"],
    "SQL": ["x' OR '1'='1'; DROP TABLE incidents --"],
    "markup": [MARKUP],
    "wrong date": ["2026-02-31"],
    "far date": ["9999-12-31"],
    "first date": ["0001-01-01"],
    "reversed": ["31/12/2026"],
    "huge": ["9" * 400],
    "negative": ["-1"],
    "lone surrogate": ["\udce9\u202e"],
    "missing": None,
    "repeated": ["no_such_code", "no_such_code", "2026-01-01"],
}
OF_DATES = ("wrong date", "far date", "first date", "reversed")
OF_TEXTS = ("blank", "huge", "negative", "lone surrogate")
# Pages that would end the walk or its accounts.
LEFT_OUT = ("/sign-out",)
HIDDEN = "csrf"
MOST_PAGES = 60


@dataclass
class Input:
    """One field of a form."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    described_by: tuple[str, ...] = ()
    is_required: bool = False


@dataclass
class Found:
    """One form."""

    page: str
    method: str
    action: str
    is_upload: bool
    inputs: dict[str, Input] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """Two forms of one kind are one: a form for each token, say."""
        where = re.sub(r"[0-9a-f-]{12,}", "…", urlsplit(self.action).path or self.page)
        return self.method, where, tuple(self.inputs)

    def sent(self) -> list[tuple[str, str]]:
        """What a browser sends of it, as it stands."""
        pairs: list[tuple[str, str]] = []
        for one in self.inputs.values():
            if one.kind in ("checkbox", "radio"):
                pairs += [(one.name, value) for value in one.taken]
            elif one.kind == "select":
                chosen = one.taken or [next(iter(one.options), "")]
                pairs += [(one.name, value) for value in chosen]
            elif one.kind != "file":
                pairs.append((one.name, one.value))
        return pairs


class Page(HTMLParser):
    """The forms, links, ids and texts of a page."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.address = address
        self.forms: list[Found] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.said: dict[str, str] = {}
        self.language = ""
        self.tags: list[str] = []
        self._form: Found | None = None
        self._select: Input | None = None
        self._area: Input | None = None
        self._fault = ""
        self._group: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if given.get("id"):
            assert given["id"] not in self.ids, f"{self.address}: two things are {given['id']}"
            self.ids.add(given["id"])
        if tag == "html":
            self.language = given.get("lang") or ""
        elif tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Found(
                self.address,
                (given.get("method") or "get").upper(),
                given.get("action") or self.address,
                given.get("enctype") == "multipart/form-data",
            )
            self.forms.append(self._form)
        elif tag == "fieldset":
            self._group = given
        elif tag == "p" and (given.get("id") or "").startswith("error-"):
            self._fault = given["id"]
            self.said[self._fault] = ""
        elif tag in ("input", "select", "textarea") and self._form and given.get("name"):
            self._take(tag, given)
        elif tag == "option" and self._select is not None:
            value = given.get("value") or ""
            self._select.options.append(value)
            if "selected" in given:
                self._select.taken.append(value)

    def _take(self, tag, given):
        name = given["name"]
        kind = given.get("type") or "text" if tag == "input" else tag
        own = self._form.inputs.setdefault(name, Input(name, kind))
        described = given.get("aria-describedby") or ""
        if kind in ("checkbox", "radio"):
            described = described or self._group.get("aria-describedby") or ""
            own.options.append(given.get("value") or "on")
            if "checked" in given:
                own.taken.append(given.get("value") or "on")
        own.value = given.get("value") or own.value
        own.described_by = tuple(described.split())
        own.is_required = "required" in given
        self._select = own if tag == "select" else None
        self._area = own if tag == "textarea" else None

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "fieldset":
            self._group = {}
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == "p":
            self._fault = ""

    def handle_data(self, data):
        if self._area is not None:
            self._area.value += data.removeprefix("\n") if not self._area.value else data
        if self._fault:
            self.said[self._fault] += data


@pytest.fixture(scope="module")
def app(demo_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("bad_input")
    shutil.copytree(demo_home.home, home, dirs_exist_ok=True)
    return make_app(settings_for(home).prepare())


def role_browser(app, role, language):
    name = f"bad.{role}.{language}"
    browser = signed_in(app, role, organisation=ROLES[role], name=name, language=language)
    browser.get(f"/?lang={language}")
    return browser


def sign_in_again(browser, name):
    """In the same browser: the forms that it was shown stay good."""
    browser.cookies.delete("passerelle-session")
    sent = {"name": name, "password": PASSWORD}
    assert browser.submit("/sign-in", sent, follow_redirects=False).status_code == 303


def walked(browser):
    """Every kind of form that can be reached; of each kind of page a few."""
    waiting, seen, kinds = ["/"], set(), {}
    forms: dict[tuple[str, ...], Found] = {}
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        path = urlsplit(address).path
        kind = re.sub(r"/[^/]*[._0-9-][^/]*", "/…", path)
        if path in seen or path.startswith(LEFT_OUT) or kinds.get(kind, 0) > 2:
            continue
        seen.add(path)
        answer = browser.get(address)
        if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        page = Page(path, answer.text)
        for one in page.forms:
            if not one.action.startswith(LEFT_OUT):
                forms.setdefault(one.key, one)
        waiting += [link for link in page.links if link.startswith("/") and "lang=" not in link]
    return list(forms.values())


def kinds_of_bad(one):
    """What is tried on a field: dates where one is asked, long words where one may type."""
    if one.name == HIDDEN or one.kind == "file":
        return
    for how, values in BAD.items():
        if how in OF_DATES and one.kind != "date":
            continue
        if how in OF_TEXTS and one.kind in ("select", "checkbox", "radio", "hidden"):
            continue
        yield how, values


def send(browser, form, pairs):
    clean = [(name, value.encode("utf-8", "surrogateescape")) for name, value in pairs]
    if form.method == "GET":
        address = urlsplit(form.action).path or form.page
        return browser.get(f"{address}?{urlencode(clean)}")
    if form.is_upload:
        fields = [(name, (None, value)) for name, value in clean]
        return browser.post(form.action, files=[*fields, ("file", ("x.csv", b"a;b\n1;2\n"))])
    address = form.action.partition("#")[0]
    answer = browser.post(
        address,
        content=urlencode(clean),
        headers={"content-type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
    )
    leads_to = answer.headers.get("location", "")
    # What was sent may be kept under a number: the page that shows it again says what is wrong.
    return browser.get(leads_to) if urlsplit(leads_to).path == address else answer


def spoilt(form, name, values):
    kept = [(one, value) for one, value in form.sent() if one != name]
    return kept + [(name, value) for value in values or []]


def check(form, field, answer, language):
    name, how, values = field
    where = f"{form.method} {form.action} {name} {how}: {answer.status_code}"
    assert answer.status_code in (200, 303, 404, 422, *([400] if form.is_upload else [])), where
    if answer.status_code == 303:
        return
    assert "<img src=x" not in answer.text, where
    assert 'value="49"' not in answer.text, where
    if answer.status_code == 404:
        assert form.inputs[name].kind == "hidden", f"{where}: only what nobody types is absent"
        return
    page = Page(form.page, answer.text)
    assert page.language == language, where
    if answer.status_code == 200:
        assert not page.said, f"{where}: a fault on a page that says it is none"
        return
    same = [one for one in page.forms if set(one.inputs) & set(form.inputs) - {HIDDEN}]
    assert same, f"{where}: the form is not there again"
    faulty = {fault.removeprefix("error-") for fault in page.said}
    told = faulty or "refusal"
    if form.inputs[name].kind != "hidden":
        assert faulty or 'role="alert"' in answer.text, f"{where}: nothing is said"
    for fault, sentence in page.said.items():
        assert sentence.strip(), f"{where}: {fault} is empty"
        described = {i for one in page.forms for x in one.inputs.values() for i in x.described_by}
        described |= set(re.findall(rf'aria-describedby="[^"]*\b({fault})\b', answer.text))
        assert fault in described, f"{where}: no field points to {fault}"
    for one in page.forms:
        for again in one.inputs.values():
            if again.name != name or not values or name not in faulty:
                continue
            if again.kind in ("text", "search", "date", "textarea"):
                shown = again.value
                typed = values[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                assert tidy(shown) == tidy(typed), f"{where}: what was typed is gone ({told})"


def tidy(text):
    """As a browser's parser would have it: some signs cannot stand in a page."""
    return text.replace("\r\n", "\n").replace("\x00", "").replace("\ufffd", "").strip("\n")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("role", sorted(ROLES))
def test_bad_input_is_said_beside_its_field_and_is_never_a_fault_of_ours(app, role, language):
    browser = role_browser(app, role, language)
    forms = walked(browser)
    assert len(forms) >= 4
    problems = []
    for form in forms:
        for name, one in form.inputs.items():
            for how, values in kinds_of_bad(one):
                if "present" in form.inputs:  # the fifth wrong password ends a session
                    sign_in_again(browser, f"bad.{role}.{language}")
                answer = send(browser, form, spoilt(form, name, values))
                try:
                    check(form, (name, how, values), answer, language)
                except AssertionError as error:
                    problems.append(str(error).splitlines()[0])
    assert not problems, "\n".join(problems)

"""Every page, operation and command, as every role of every organisation: what comes back.

A word is planted in each column that a feed does not read and in each that is never kept, then
every door is opened and its answer is searched for these words. Doors are read from the
application and from the list of commands: a new one is opened too, or fails here until it is said
how.

Not here: which role opens which page (`test_portal_permissions.py`).
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest
import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pipelines.accounts.people import find_user, person_of
from pipelines.accounts.permissions import NEVER_BY_TOKEN, OPERATOR_ROLE, ROLES
from pipelines.accounts.tokens import make_token as make_api_token
from pipelines.cli import main
from pipelines.cli.app import build
from pipelines.core.settings import SHIPPED_AGREEMENTS, Settings, settings_for
from pipelines.ingest.ingest import ingest
from pipelines.ingest.publish import publish
from pipelines.landing.receive import open_delivery
from pipelines.portal.app import create_app
from pipelines.portal.configuration import DEFAULT_RATES, Configuration
from pipelines.portal.security.csrf import make_token
from pipelines.portal.services.scope import own_feeds
from pipelines.portal.web.access import ActionGuard
from schemas.feed import feed_names, load_feed
from schemas.organisation import organisations
from tests.integration.test_portal_permissions import dependencies
from tests.integration.test_report_rows import CASES
from tests.planting import Planted, planted
from tests.portal import Browser, account, cheap_passwords, signed_in

WORD = re.compile(r"ZQ(?:IGN|MSK)\d\dN\d\dX")
# Accounts that work for feeds of others, by name; every other account has none of these.
GRANTED = ("data_specialist", "oversight")
# Of these organisations every page is opened; of all others, whatever leads to a delivery.
WATCHED = ("caf_gendarmerie", "ssd_ssnps", "dpo_police_division")
FORM = {
    "record": "caf_police:1",
    "question": "SELECT * FROM incidents",
    "purpose": "joint_planning",
}
OF_DELIVERIES = ("provider", "data_specialist")
# They end the session, or change the account with which the walk goes on.
LEFT_OUT = ("/sign-", "/account/", "/static/", "/api/v1/openapi.json")


@dataclass(frozen=True)
class Sent:
    """What was planted in the delivery of one feed, and where it is."""

    feed: str
    delivery_id: str
    words: Planted
    original: Path


@dataclass(frozen=True)
class Door:
    """One route: its address for a delivery or a feed, how it is asked for, what opens it."""

    method: str
    path: str
    action: str

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def is_of_deliveries(self) -> bool:
        return "{delivery_id}" in self.path

    def addresses(self, sent: Sent) -> list[str]:
        """Where it is; each part of the path is filled by what the walk has, or the test fails."""
        parts = {
            **{"delivery_id": sent.delivery_id, "feed": sent.feed, "table": "incidents"},
            **dict.fromkeys(("job", "job_id", "token_id", "device_id", "consent_id"), "0f" * 16),
            "name": {"/agreements": "caf_minusca", "/dictionary/lists": "offences"}.get(
                self.path.removeprefix("/api/v1").rpartition("/")[0], "offence_code"
            ),
        }
        unknown = set(re.findall(r"\{([^}]+)\}", self.path)) - parts.keys()
        assert not unknown, f"say what {unknown} of {self.path} is in this walk"
        address = re.sub(r"\{([^}]+)\}", lambda found: quote(parts[found[1]]), self.path)
        asks = ["", "?whole=1"] if self.path.endswith("/rows") else [""]
        return [address + ask for ask in asks]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    cheap_passwords()
    return settings_for(tmp_path_factory.mktemp("leaks") / "home").prepare()


@pytest.fixture(scope="module")
def sent(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sent]:
    """One delivery of each feed, judged and published, by feed."""
    folder = tmp_path_factory.mktemp("sent")
    found = {}
    for number, feed in enumerate(feed_names()):
        name, wrong, _right = CASES[feed]
        sample = load_feed(feed).folder / "counterexamples" / name
        words = planted(load_feed(feed), sample, wrong, number, folder)
        verdict = ingest(settings, feed, words.file)
        assert verdict.is_accepted and verdict.rows_quarantined and verdict.rows_accepted, feed
        delivery = open_delivery(settings, verdict.delivery_id)
        found[feed] = Sent(feed, verdict.delivery_id, words, Path(delivery.payload.path))
    publish(settings, [one.delivery_id for one in found.values()], actor="test")
    return found


@pytest.fixture(scope="module")
def app(settings: Settings, sent: dict[str, Sent]) -> FastAPI:
    rates = dict.fromkeys(DEFAULT_RATES, "1000000/minute")
    return create_app(settings, Configuration(rates=rates))


@pytest.fixture(scope="module")
def doors(app: FastAPI) -> list[Door]:
    found = []
    for route in iter_route_contexts(app.routes):
        actions = {one.action for one in dependencies(route) if isinstance(one, ActionGuard)}
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            if not route.path.startswith(LEFT_OUT) and actions:
                found.append(Door(method, route.path, actions.pop()))
                actions = {found[-1].action}
    assert sum(door.is_of_deliveries for door in found) >= 9
    return found


def words_in(content: bytes) -> set[str]:
    """The planted words of an answer or a file, packed ones included."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b"".join(packed.read(name) for name in packed.namelist())
    encodings = ("utf-8", "utf-16-le") if b"\x00" in content else ("utf-8",)
    return {word for one in encodings for word in WORD.findall(content.decode(one, "replace"))}


class Walker:
    """Somebody who opens doors, by the pages and by the API."""

    def __init__(self, app: FastAPI, role: str, organisation: str, feeds: tuple[str, ...]) -> None:
        self.role, self.organisation, self.feeds = role, organisation, feeds
        self.name = f"{role}.{organisation}{'.granted' if feeds else ''}".replace("_", ".")
        more: dict[str, Any] = {"name": self.name, "feeds": feeds} if feeds else {"name": self.name}
        self.browser = signed_in(app, role, organisation=organisation, **more)
        person = person_of(find_user(app.state.settings, self.name))
        scopes = sorted(person.actions - NEVER_BY_TOKEN)
        said, _kept = make_api_token(app.state.settings, person, "walk", scopes=scopes, days=1)
        self.program = Browser(app)
        self.program.headers["Authorization"] = f"Bearer {said}"
        self.own = set(own_feeds(organisation).feeds)
        self.seen: dict[str, set[str]] = {}

    def opens(self, door: Door, sent: Sent) -> None:
        """Ask for every address of a door, and hold what comes back against who asks."""
        for address in door.addresses(sent):
            found = words_in(self._ask(door, address))
            allowed = self._may_see(door, address, sent)
            assert found <= allowed, f"{self.name}: {door.method} {address.split('?')[0]}"
            self.seen.setdefault(address.rpartition("/")[2], set()).update(found)

    def _may_see(self, door: Door, address: str, sent: Sent) -> set[str]:
        """The words that may come back: those of the own service's delivery, ignored ones asked."""
        is_sender = sent.feed in self.own and self.role in ("provider", "data_specialist")
        if not (is_sender and door.is_of_deliveries):
            return set()
        is_whole = address.endswith("/rows?whole=1")
        return {*sent.words.masked, *(sent.words.ignored if is_whole else ())}

    def _ask(self, door: Door, address: str) -> bytes:
        if door.is_api:
            body = {"json": FORM} if door.method in ("POST", "PUT", "PATCH") else {}
            return self.program.request(door.method, address, **body).content
        if door.method == "GET":
            return self.browser.get(address, follow_redirects=False).content
        cookie = self.browser.cookies.get("passerelle-session", "")
        secret = make_token(self.browser.app.state.portal_key, f"session:{cookie}", address)
        joint = "&" if "?" in address else "?"
        target = f"{address}{joint}csrf={quote(secret)}"
        return self.browser.post(target, data=FORM, follow_redirects=False).content


def walkers(app: FastAPI) -> Iterator[Walker]:
    """Every role of every organisation, and those that were granted every feed by name.

    A role to which no door of a delivery opens meets the same closed door in every organisation.
    """
    for organisation in organisations():
        for role in ROLES if organisation in WATCHED else OF_DELIVERIES:
            yield Walker(app, role, organisation, ())
    for role in GRANTED:
        yield Walker(app, role, "public", tuple(feed_names()))


def test_only_roles_of_deliveries_open_their_doors(doors: list[Door]) -> None:
    actions = {door.action for door in doors if door.is_of_deliveries}
    opened = {role for role, mine in ROLES.items() if mine & actions}
    assert opened == set(OF_DELIVERIES)


def test_no_door_gives_a_planted_word_to_anybody_but_its_sender(
    app: FastAPI, doors: list[Door], sent: dict[str, Sent], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    everything, told = list(sent.values()), set()
    for turn, walker in enumerate(walkers(app)):
        is_watched = walker.organisation in WATCHED or bool(walker.feeds)
        strange = everything[turn % len(everything)]
        looked_at = everything if walker.feeds else [sent[one] for one in walker.own] + [strange]
        for door in doors:
            is_theirs = door.action in ROLES[walker.role]
            if door.is_of_deliveries:
                if is_theirs or is_watched:
                    for one in looked_at if is_theirs else [strange]:
                        walker.opens(door, one)
            elif is_watched and is_theirs:
                walker.opens(door, strange)
        told |= {(walker.role, name) for name, words in walker.seen.items() if words}
    # The walk saw what it looks for, where it may be seen: it would else prove nothing.
    assert {role for role, _name in told} == {"provider", "data_specialist"}
    assert {name for _role, name in told} >= {"rejections.xlsx", "rows", "rows?whole=1"}
    assert not WORD.findall(caplog.text)


def test_the_sender_gets_every_masked_cell_back_and_ignored_ones_only_when_asked(
    app: FastAPI, sent: dict[str, Sent]
) -> None:
    for organisation, feed in (("caf_gendarmerie", "caf_gendarmerie_incidents"),):
        words, place = sent[feed].words, f"/deliveries/{sent[feed].delivery_id}"
        browser = signed_in(app, "provider", organisation=organisation, name="sender.walk")
        assert words_in(browser.get(f"{place}/rows").content) == set(words.masked)
        whole = words_in(browser.get(f"{place}/rows?whole=1").content)
        assert whole == {*words.masked, *words.ignored}
        assert not words_in(browser.get(f"{place}/rejections.xlsx").content) & set(words.ignored)


def test_the_operator_opens_no_door_of_a_delivery(
    app: FastAPI, doors: list[Door], sent: dict[str, Sent]
) -> None:
    walker = Walker(app, OPERATOR_ROLE, "passerelle", ())
    one = sent["caf_police_incidents"]
    for door in doors:
        if door.is_of_deliveries and not door.is_api and door.method == "GET":
            assert walker.browser.get(door.addresses(one)[0]).status_code == 404, door
        if door.action in ROLES[OPERATOR_ROLE] and door.method == "GET" and not door.is_api:
            page = walker.browser.get(door.addresses(one)[0]).text
            assert one.delivery_id not in page and one.words.file.name not in page


def commands(one: Any, above: tuple[str, ...] = ()) -> Iterator[str]:
    if not hasattr(one, "commands"):
        yield " ".join(above)
        return
    for name, inner in one.commands.items():
        yield from commands(inner, (*above, name))


# Arguments with which each command is run; those that are not run say why.
NOT_RUN = {
    "demo": "fills a home of its own with invented data",
    "serve": "does not end",
    "backup make": "holds the originals: it is the home once more",
    "backup restore": "needs an empty home",
    "reference load": "takes no delivery",
    "contract render": "writes what the declarations say",
    "feed check": "judges the examples of feeds, and no delivery",
}


def lines_of(command: str, one: Sent, folder: Path) -> list[list[str]]:
    """How a command is typed; for a delivery where it takes one."""
    out = folder / one.feed
    rows = folder / f"{one.feed}.rows{one.original.suffix}"
    delivery = one.delivery_id
    return {
        "ingest": [[one.feed, str(one.words.file)]],
        "delivery show": [
            [delivery],
            [delivery, "--json"],
            [delivery, "-o", f"{out}.xlsx", "--rows", str(rows)],
            [delivery, "-o", f"{out}.html"],
        ],
        "delivery answer": [[delivery, "--register"]],
        "delivery rejudge": [[delivery]],
        "sql": [["SELECT * FROM incidents"], ["SELECT * FROM rejections"], ["FROM deliveries"]],
        "table show": [["incidents"]],
        "codelist show": [["offences", "homicide"]],
        "extract make": [
            ["incidents", "--recipient", "minusca_unpol", "--purpose", "joint_planning"]
        ],
        "verify": [[str(one.words.file)]],
        "feed new": [
            [str(one.words.file), "--target", load_feed(one.feed).table, "-o", f"{out}.feed"]
        ],
        "agreement explain": [["--recipient", "minusca_unpol", "--table", "incidents"]],
        "agreement diff": [[str(SHIPPED_AGREEMENTS), str(SHIPPED_AGREEMENTS)]],
        "consent give": [
            ["0f" * 6, "--account", "sender.walk", "--until", "2026-12-31", "--reason", "none"]
        ],
        "consent revoke": [["0f" * 6, "--account", "sender.walk"]],
        "key export": [[str(folder / "key.pem")]],
        "ledger trace": [["caf_police:1"]],
        "user add": [["one.more", "--organisation", "public", "--role", "analyst", "--one-time"]],
        **{f"user {name}": [["sender.walk"]] for name in ("disable", "enable")},
        "user set-password": [["sender.walk", "--one-time"]],
        "user set-roles": [["sender.walk", "--role", "provider"]],
        "user set-feeds": [["sender.walk", "--none"]],
    }.get(command, [[]])


BY_DELIVERY = (
    "ingest",
    "delivery show",
    "delivery answer",
    "delivery rejudge",
    "feed new",
    "verify",
)


def test_no_command_prints_or_writes_a_planted_word_but_masked_ones_for_the_sender(  # noqa: PLR0917
    settings: Settings,
    app: FastAPI,
    sent: dict[str, Sent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    account(settings, "provider", organisation="caf_gendarmerie", name="sender.walk")
    monkeypatch.setenv("PASSERELLE_HOME", str(settings.home))
    monkeypatch.chdir(tmp_path)
    named = list(commands(typer.main.get_command(build())))
    assert set(NOT_RUN) <= set(named)
    for command in named:
        if command in NOT_RUN:
            continue
        every = list(sent.values())
        for one in every if command == "delivery show" else every[1:2]:
            lines = lines_of(command, one, tmp_path)
            # Of every feed what is written for its sender; what is printed has one form.
            for line in lines if one in every[:2] or command != "delivery show" else lines[2:3]:
                code = main([*command.split(), *line])
                assert code != 5, (command, line)  # a fault of ours would prove nothing
                said = capfd.readouterr()
                found = words_in((said.out + said.err).encode())
                assert not found, command
    written: set[str] = set()
    ignored = {word for one in sent.values() for word in one.words.ignored}
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        found = words_in(file.read_bytes())
        assert not found & ignored, file.name
        written |= found
    assert written  # the rows to correct are there, with what their sender has to correct


def test_no_file_but_the_originals_holds_a_planted_word(
    settings: Settings, sent: dict[str, Sent]
) -> None:
    originals = {one.original for one in sent.values()}
    kept = {word for one in sent.values() for word in one.words.masked if not WORD.match(word)}
    assert all(words_in(one.original.read_bytes()) for one in sent.values() if one.words.ignored)
    looked_into = 0
    for file in settings.home.rglob("*"):
        if not file.is_file() or file in originals:
            continue
        if file.suffix == ".parquet":
            text = duckdb.sql(f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet('{file}')").df()
            content = text.to_csv(index=False)
            looked_into += 1
        else:
            content = file.read_bytes().decode("utf-8", "replace")
        assert not WORD.findall(content), file.relative_to(settings.home)
        assert not [word for word in kept if word in content], file.relative_to(settings.home)
    assert looked_into > len(sent)


def test_dagster_is_told_of_no_cell(settings: Settings, sent: dict[str, Sent]) -> None:
    from assets.checks import verdict_metadata
    from assets.deliveries import receipt_metadata
    from pipelines.validate.verdict import read_verdict

    for one in sent.values():
        delivery = open_delivery(settings, one.delivery_id)
        told = verdict_metadata(read_verdict(delivery.folder), "fr")
        said = repr(told) + repr(receipt_metadata(delivery.receipt))
        assert not WORD.findall(said)
        assert not [word for word in one.words.masked if word in said]

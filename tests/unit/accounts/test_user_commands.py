"""The commands `user …` as an administrator types them."""

from __future__ import annotations

import json

import pytest

from pipelines.accounts.people import find_user, users
from pipelines.accounts.permissions import Person
from pipelines.accounts.signin import authenticate
from pipelines.core.settings import Settings, settings_for
from pipelines.ledger.database import dispose
from tests.conftest import passerelle_here

WORDS = "correct horse battery"
LINE = ("user", "add", "jma.1", "--organisation", "minusca_unpol", "--role", "mission_staff")


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = settings_for(tmp_path / "home").prepare()
    yield settings
    dispose(settings)


def refused(settings: Settings, *line: str, code: str, stdin: str = "") -> str:
    done = passerelle_here(*line, home=settings.home, check=False, stdin=stdin)
    assert done.returncode == 2, done.stderr
    assert code in done.stderr
    return done.stderr.replace("\n", "")


def test_an_account_is_added_with_a_password_from_a_pipe(settings):
    line = (*LINE, "--role", "analyst", "--language", "fr", "--password-stdin")
    done = passerelle_here(*line, home=settings.home, stdin=f"{WORDS}\n")
    assert WORDS not in done.stdout + done.stderr
    person = authenticate(settings, "jma.1", WORDS)
    assert (person.roles, person.language) == (("analyst", "mission_staff"), "fr")
    assert not person.must_change_password


def test_a_password_for_one_sign_in_is_shown_once(settings):
    done = passerelle_here(*LINE, "--one-time", "--json", home=settings.home)
    made = json.loads(done.stdout)["one_time_password"]
    person = authenticate(settings, "jma.1", made)
    assert person.must_change_password
    again = passerelle_here("user", "password", "jma.1", "--one-time", home=settings.home).stdout
    assert made not in again
    assert authenticate(settings, "jma.1", made) != person


def test_an_account_for_openid_has_no_password(settings):
    line = (*LINE, "--oidc-issuer", "https://id.example", "--oidc-subject", "s1")
    passerelle_here(*line, home=settings.home)
    user = find_user(settings, "jma.1")
    assert (user.password_hash, user.oidc_subject) == (None, "s1")
    refused(settings, *LINE, "--oidc-issuer", "https://id.example", code="PSL-233")


def test_what_does_not_exist_is_told_with_what_does(settings):
    where = ("--organisation", "minusca", "--role", "analyst", "--one-time")
    assert "minusca_unpol" in refused(settings, "user", "add", "a.b", *where, code="ACC-103")
    where = ("--organisation", "iom", "--role", "admin", "--one-time")
    assert "oversight" in refused(settings, "user", "add", "a.b", *where, code="ACC-104")
    refused(settings, "user", "disable", "nobody", code="ACC-102")
    refused(settings, "user", "set-roles", "nobody", "--role", "analyst", code="ACC-102")
    assert users(settings) == []


def test_a_password_is_never_asked_where_nobody_can_type_one(settings):
    refused(settings, *LINE, code="PSL-235")
    refused(settings, *LINE, "--one-time", "--password-stdin", code="PSL-234")
    refused(settings, *LINE, "--password-stdin", stdin="short\n", code="ACC-111")
    refused(settings, *LINE, "--password-stdin", stdin="my jma.1 password\n", code="ACC-113")
    assert users(settings) == []


def test_accounts_are_listed_disabled_and_enabled(settings):
    passerelle_here(*LINE, "--password-stdin", home=settings.home, stdin=f"{WORDS}\n")
    passerelle_here("user", "disable", "JMA.1", home=settings.home)
    said = passerelle_here("user", "list", home=settings.home, language="fr").stdout
    assert "désactivé" in said
    assert "argon2" not in said
    passerelle_here("user", "enable", "jma.1", home=settings.home)
    passerelle_here("user", "set-roles", "jma.1", "--role", "oversight", home=settings.home)
    [one] = json.loads(passerelle_here("user", "list", "--json", home=settings.home).stdout)
    assert (one["roles"], one["is_active"]) == (["oversight"], True)
    assert isinstance(authenticate(settings, "jma.1", WORDS), Person)


def test_the_password_is_asked_twice_without_being_shown(settings, monkeypatch, capsys):
    import getpass

    from pipelines.cli import main

    answers = iter([WORDS, "something else", WORDS, WORDS])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setenv("PASSERELLE_HOME", str(settings.home))
    assert main([*LINE, "--lang", "en"]) == 2
    assert "PSL-236" in capsys.readouterr().err
    assert main([*LINE, "--lang", "en"]) == 0
    assert WORDS not in capsys.readouterr().out
    assert isinstance(authenticate(settings, "jma.1", WORDS), Person)


def test_no_command_takes_a_password_as_an_argument():
    from pipelines.cli.user import add, set_password

    for declared in (add, set_password):
        options = str(declared.function.__annotations__)
        assert "'--password'" not in options

"""Adding and changing accounts: what is refused, what ends with a change, what the ledger says."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from pipelines.accounts.errors import AccountError
from pipelines.accounts.models import User
from pipelines.accounts.passwords import check, one_time
from pipelines.accounts.people import (
    add_user,
    find_user,
    link_oidc,
    narrowed_users,
    person,
    person_of_oidc,
    set_active,
    set_feeds,
    set_language,
    set_password,
    set_roles,
    users,
)
from pipelines.accounts.permissions import may
from pipelines.accounts.sessions import open_session, person_of_session
from pipelines.accounts.tokens import make_token, person_of_token
from pipelines.ledger.chain import entries
from pipelines.ledger.database import sessions

WORDS = "correct horse battery"
GOOD = {"organisation": "caf_police", "roles": ["provider"], "password": WORDS}


def refused(code: str, place, name: str = "bangui.1", **changes: object) -> AccountError:
    with pytest.raises(AccountError) as stopped:
        add_user(place, name, **{**GOOD, **changes})
    assert stopped.value.code == code
    return stopped.value


def test_what_cannot_be_kept_is_refused_with_what_there_is(place):
    add_user(place, "bangui.1", **GOOD)
    assert "bangui.1" in refused("ACC-101", place, "Bangui.1").text("fr")
    assert "caf_police" in refused("ACC-103", place, "b.2", organisation="police").text("en")
    assert "oversight" in refused("ACC-104", place, "b.2", roles=["root"]).text("en")
    for name in ("ab", "a b c", "é.tage", "-abc", "x" * 81, "<script>"):
        assert refused("ACC-105", place, name).field == "name"
    refused("ACC-106", place, "b.2", roles=[])
    refused("ACC-108", place, "b.2", roles=["operator", "provider"])
    refused("ACC-109", place, "b.2", feeds=["cod_pnc_incidents"])
    refused("ACC-110", place, "b.2", roles=["data_specialist"], feeds=["nothing"])
    refused("ACC-107", place, "b.2", language="sg")
    assert [user.name for user in users(place)] == ["bangui.1"]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short-pass1", "ACC-111"),
        ("x" * 201, "ACC-112"),
        ("my-BANGUI.1-password", "ACC-113"),
        ("abababababababab", "ACC-114"),
    ],
)
def test_a_weak_password_is_refused(place, password, code):
    assert refused(code, place, password=password).field == "password"


def test_a_password_made_here_is_good_enough():
    made = {one_time() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check(password, "bangui.1")


def test_another_password_ends_every_session(place):
    somebody = add_user(place, "bangui.1", **GOOD)
    token = open_session(place, somebody)
    set_password(place, "bangui.1", "another good password", must_change=True)
    assert person_of_session(place, token) is None
    assert person(place, somebody.user_id).must_change_password
    with pytest.raises(AccountError) as stopped:
        set_password(place, "bangui.1", "another good password")
    assert stopped.value.code == "ACC-115"


def test_a_disabled_account_is_out_at_once_and_its_tokens_for_good(place):
    somebody = add_user(place, "jma.1", organisation="iom", roles=["analyst"], password=WORDS)
    session = open_session(place, somebody)
    token, _kept = make_token(place, somebody, "t", scopes=["sql.run"], days=1)
    set_active(place, "jma.1", False)
    assert person_of_session(place, session) is None
    assert person_of_token(place, token) is None
    assert person(place, somebody.user_id) is None
    set_active(place, "jma.1", True)
    assert person_of_session(place, session) is None
    assert person_of_token(place, token) is None
    assert person(place, somebody.user_id) == somebody


def test_other_roles_count_at_once(place):
    somebody = add_user(place, "jma.1", organisation="iom", roles=["analyst"], password=WORDS)
    session = open_session(place, somebody)
    set_roles(place, "jma.1", ["oversight", "oversight"])
    now = person_of_session(place, session)
    assert now.roles == ("oversight",)
    assert may(now, "ledger.read")
    assert not may(now, "sql.run")
    set_language(place, "jma.1", "fr", actor="jma.1")
    assert person_of_session(place, session).language == "fr"


def test_an_identity_of_an_openid_provider_belongs_to_one_account(place):
    add_user(place, "jma.1", organisation="iom", roles=["analyst"], oidc=("https://a", "1"))
    add_user(place, "jma.2", organisation="iom", roles=["analyst"], oidc=("https://b", "1"))
    assert person_of_oidc(place, "https://a", "1").name == "jma.1"
    assert person_of_oidc(place, "https://b", "1").name == "jma.2"
    assert person_of_oidc(place, "https://a", "2") is None
    refused("ACC-141", place, "jma.3", oidc=("https://a", "1"))
    with pytest.raises(AccountError):
        link_oidc(place, "jma.2", "https://a", "1")
    link_oidc(place, "jma.2", "https://a", "2")
    assert person_of_oidc(place, "https://a", "2").name == "jma.2"
    set_active(place, "jma.1", False)
    assert person_of_oidc(place, "https://a", "1") is None


def test_each_change_is_in_the_ledger_without_any_secret(place):
    add_user(place, "jma.1", organisation="iom", roles=["analyst"], password=WORDS)
    set_password(place, "jma.1", "another good password", actor="jma.1")
    set_roles(place, "jma.1", ["oversight"], actor="it.desk")
    set_active(place, "jma.1", False)
    found = list(reversed(entries(place, subject="jma.1").entries))
    assert [entry.event for entry in found] == ["user.added", *["user.changed"] * 3]
    assert [entry.actor for entry in found] == ["operator", "jma.1", "it.desk", "operator"]
    assert found[2].details == {"roles": ["oversight"], "roles_before": ["analyst"]}
    said = repr(found)
    assert "another good" not in said
    assert "argon2" not in said


def test_who_does_not_exist_cannot_be_changed(place):
    for change in (
        lambda: set_active(place, "nobody", True),
        lambda: set_roles(place, "nobody", ["analyst"]),
        lambda: set_password(place, "nobody", WORDS),
        lambda: find_user(place, "nobody"),
    ):
        with pytest.raises(AccountError) as stopped:
            change()
        assert stopped.value.code == "ACC-102"


def test_feeds_are_granted_by_name_and_each_grant_is_in_the_ledger(place):
    add_user(place, "desk.1", **{**GOOD, "roles": ["data_specialist"]})
    assert person(place, find_user(place, "desk.1").id).feeds == ()
    set_feeds(place, "desk.1", ["cod_pnc_incidents", "ssd_ssnps_incidents"])
    assert find_user(place, "desk.1").feeds == ["cod_pnc_incidents", "ssd_ssnps_incidents"]
    set_feeds(place, "desk.1", ["ssd_ssnps_incidents"])
    said = entries(place, events=["user.changed"], size=1).entries[0]
    assert said.subject == "desk.1"
    assert said.details == {
        "feeds": ["ssd_ssnps_incidents"],
        "feeds_before": ["cod_pnc_incidents", "ssd_ssnps_incidents"],
    }
    set_roles(place, "desk.1", ["provider"])
    assert find_user(place, "desk.1").feeds == []
    with pytest.raises(AccountError):
        set_feeds(place, "desk.1", ["ssd_ssnps_incidents"])


def test_who_reached_everything_is_named_until_it_is_said_what_they_reach(place):
    add_user(place, "desk.1", **{**GOOD, "roles": ["data_specialist"]})
    assert narrowed_users(place) == []
    with sessions(place).begin() as session:
        session.execute(sa.update(User).values(is_narrowed=True))
    assert [user.name for user in narrowed_users(place)] == ["desk.1"]
    set_feeds(place, "desk.1", [])
    assert narrowed_users(place) == []

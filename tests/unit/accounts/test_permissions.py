"""Named actions: what is not named is denied to everybody, and one's own is one's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.accounts.permissions import (
    ACTIONS,
    BY_FEED,
    EVERYBODY,
    NEVER_BY_TOKEN,
    OPERATOR_ROLE,
    ROLES,
    ROLES_BY_FEED,
    Person,
    Reach,
    may,
    reach,
)

WRITTEN_DOWN = {
    "mission_staff": {
        *("tables.list", "extract.preview", "extract.request", "extract.read_own"),
        *("extract.download_own", "file.verify"),
    },
    "provider": {"delivery.upload", "delivery.read_own", "rejections.read_own"},
    "data_owner": {"consent.decide"},
    "data_specialist": {
        *("delivery.read_feeds", "rejections.read_feeds", "feeds.health", "delivery.upload_feeds"),
    },
    "analyst": {
        *("dictionary.read", "sql.run", "tables.list", "extract.preview", "extract.request"),
        *("extract.read_own", "extract.download_own"),
    },
    "oversight": {"ledger.read", "agreements.read", "extracts.read_taken"},
    "operator": {"feeds.health"},
}


def person(*roles: str, **more: object) -> Person:
    return Person("id", "name", "caf_police", roles, **more)


def test_the_roles_are_those_that_were_agreed():
    assert ROLES == WRITTEN_DOWN
    assert {"account.own", "token.own", "dictionary.read", "file.verify"} == EVERYBODY


@given(st.text(max_size=30), st.sets(st.sampled_from(sorted(ROLES))))
def test_an_action_that_is_not_named_is_denied_to_all(action, roles):
    if action not in ACTIONS:
        assert not may(person(*roles), action)
    assert not may(None, action)


@given(st.sampled_from(sorted(ACTIONS)), st.sets(st.sampled_from(sorted(ROLES))))
def test_an_action_is_permitted_exactly_where_a_role_names_it(action, roles):
    named = action in EVERYBODY or any(action in WRITTEN_DOWN[role] for role in roles)
    assert may(person(*roles), action) == named


def test_a_role_that_does_not_exist_permits_what_everybody_may():
    assert person("administrator", "*").actions == EVERYBODY


@given(st.sampled_from(sorted(ACTIONS)), st.sets(st.sampled_from(sorted(ROLES))))
def test_every_action_reaches_its_own_organisation_and_the_feeds_granted_by_name(action, roles):
    where = reach(person(*roles, feeds=("cod_pnc_incidents",)), action)
    if not may(person(*roles), action):
        assert where is None
        return
    assert where.organisation == "caf_police"
    assert where.feeds == ({"cod_pnc_incidents"} if action in BY_FEED else frozenset())
    assert where.is_installation == (OPERATOR_ROLE in roles and action == "feeds.health")


def test_without_a_grant_nobody_but_the_operator_reaches_beyond_their_own_organisation():
    everything_else = person(*(ROLES.keys() - {OPERATOR_ROLE}))
    for action in ACTIONS:
        assert reach(everything_else, action) == Reach("caf_police")
    assert reach(None, "feeds.health") is None


def test_the_operator_has_figures_and_nothing_of_a_delivery():
    assert not any(action.startswith(("delivery.", "rejections.")) for action in ROLES["operator"])
    assert {"data_specialist", "oversight"} == ROLES_BY_FEED


@given(st.sets(st.text(max_size=20) | st.sampled_from(sorted(ACTIONS))))
def test_a_token_never_widens_what_its_owner_may_do(scopes):
    owner, by_token = person("analyst"), person("analyst", scopes=frozenset(scopes))
    assert by_token.actions <= owner.actions & scopes
    assert not by_token.actions & NEVER_BY_TOKEN

"""Named actions: what is not named is denied to everybody, and one's own is one's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.accounts.permissions import (
    ACTIONS,
    EVERYBODY,
    EVERYWHERE,
    NEVER_BY_TOKEN,
    ROLES,
    Person,
    may,
)

WRITTEN_DOWN = {
    "mission_staff": {
        *("tables.list", "extract.preview", "extract.request", "extract.read_own"),
        *("extract.download_own", "file.verify"),
    },
    "provider": {"delivery.upload", "delivery.read_own", "rejections.read_own"},
    "data_specialist": {
        *("delivery.read_all", "rejections.read_all", "feeds.health", "delivery.upload_any"),
    },
    "analyst": {
        *("dictionary.read", "sql.run", "tables.list", "extract.preview", "extract.request"),
        *("extract.read_own", "extract.download_own"),
    },
    "oversight": {"ledger.read", "agreements.read", "extracts.read_all"},
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


@given(st.sampled_from(sorted(ACTIONS)))
def test_what_belongs_to_another_organisation_is_denied_unless_the_role_looks_after_all(action):
    everything = person(*ROLES)
    assert may(everything, action, "caf_police")
    assert may(everything, action, "cod_pnc") == (action in EVERYWHERE)
    assert may(everything, action, "") == (action in EVERYWHERE)


def test_a_parent_is_not_its_unit_and_a_unit_is_not_its_parent():
    unit = Person("id", "n", "minusca_unpol_jma", ("mission_staff",))
    assert not may(unit, "extract.read_own", "minusca_unpol")
    parent = Person("id", "n", "minusca_unpol", ("mission_staff",))
    assert not may(parent, "extract.read_own", "minusca_unpol_jma")


@given(st.sets(st.text(max_size=20) | st.sampled_from(sorted(ACTIONS))))
def test_a_token_never_widens_what_its_owner_may_do(scopes):
    owner, by_token = person("analyst"), person("analyst", scopes=frozenset(scopes))
    assert by_token.actions <= owner.actions & scopes
    assert not by_token.actions & NEVER_BY_TOKEN

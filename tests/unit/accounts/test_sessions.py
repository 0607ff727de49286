"""Sessions and tokens: hashed, ended by time, idleness or hand, new at each sign-in."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from pipelines.accounts.errors import AccountError
from pipelines.accounts.models import Job, Session, Token, User
from pipelines.accounts.people import add_user, set_password, set_roles
from pipelines.accounts.permissions import Person, may
from pipelines.accounts.sessions import (
    close_all_sessions,
    close_session,
    open_session,
    person_of_session,
)
from pipelines.accounts.tokens import make_token, person_of_token, revoke_token, tokens_of
from pipelines.ledger.chain import entries
from pipelines.ledger.database import engine, sessions

WORDS = "correct horse battery"


@pytest.fixture
def somebody(place, moment) -> Person:
    return add_user(place, "jma.1", organisation="minusca_unpol", roles=["analyst"], password=WORDS)


def test_a_session_is_idle_for_half_an_hour_at_most(place, somebody, moment):
    token = open_session(place, somebody)
    for _ in range(3):
        moment.passes(minutes=29)
        assert person_of_session(place, token) == somebody
    moment.passes(minutes=31)
    assert person_of_session(place, token) is None


def test_a_session_lasts_twelve_hours_at_most(place, somebody, moment):
    token = open_session(place, somebody)
    for _ in range(12 * 3 - 1):
        moment.passes(minutes=20)
        assert person_of_session(place, token) == somebody
    moment.passes(minutes=20)
    assert person_of_session(place, token) is None


def test_only_hashes_are_kept(place, somebody):
    session = open_session(place, somebody)
    token, _kept = make_token(place, somebody, "t", scopes=["sql.run"], days=1)
    with engine(place).connect() as connection:
        for model in (User, Session, Token):
            said = repr(connection.execute(sa.select(model)).all())
            assert session not in said
            assert token not in said
            assert token.removeprefix("psl_") not in said
    assert len(session) >= 43  # 256 bits


def test_signing_in_gives_a_new_token_and_closes_the_one_before(place, somebody):
    first = open_session(place, somebody)
    second = open_session(place, somebody, previous=first)
    assert first != second
    assert person_of_session(place, first) is None
    assert person_of_session(place, second) == somebody


def test_a_session_ends_by_hand(place, somebody):
    tokens = [open_session(place, somebody) for _ in range(3)]
    close_session(place, tokens[0])
    close_session(place, "never opened")
    assert [person_of_session(place, t) is None for t in tokens] == [True, False, False]
    close_all_sessions(place, somebody.user_id)
    assert [person_of_session(place, t) for t in tokens] == [None] * 3


@pytest.mark.parametrize("made_up", ["", "x", "é\ud800", "' OR 1=1", "psl_x", "x" * 100_000])
def test_made_up_tokens_are_nobody(place, somebody, made_up):
    open_session(place, somebody)
    assert person_of_session(place, made_up) is None
    assert person_of_token(place, made_up) is None
    assert person_of_token(place, f"psl_{made_up}") is None


def test_old_sessions_are_swept_at_the_next_sign_in(place, somebody, moment):
    open_session(place, somebody)
    moment.passes(hours=13)
    open_session(place, somebody)
    with sessions(place).begin() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Session)) == 1


def test_a_sign_in_is_in_the_ledger_with_its_way(place, somebody):
    open_session(place, somebody, method="oidc")
    [entry] = entries(place, events=["signin.succeeded"]).entries
    assert (entry.actor, entry.organisation) == ("jma.1", "minusca_unpol")
    assert entry.details == {"method": "oidc", "second_factor": False}


def test_pages_write_once_a_minute(place, somebody, moment):
    token = open_session(place, somebody)
    seen = sa.select(Session.last_seen_at)
    first = moment.at
    moment.passes(seconds=59)
    person_of_session(place, token)
    with sessions(place).begin() as session:
        assert session.scalar(seen) == first
    moment.passes(seconds=1)
    person_of_session(place, token)
    with sessions(place).begin() as session:
        assert session.scalar(seen) == moment.at


def test_a_token_does_some_of_what_its_owner_may(place, somebody):
    said, kept = make_token(place, somebody, "export", scopes=["tables.list"], days=30)
    assert said.startswith("psl_")
    by_token = person_of_token(place, said)
    assert by_token.user_id == somebody.user_id
    assert may(by_token, "tables.list")
    assert not may(by_token, "sql.run")
    assert not may(by_token, "token.own")
    assert [token.id for token in tokens_of(place, somebody)] == [kept.id]


def test_a_token_shrinks_with_its_owners_roles(place, somebody):
    said, _kept = make_token(place, somebody, "x", scopes=["sql.run", "tables.list"], days=30)
    set_roles(place, "jma.1", ["mission_staff"])
    assert person_of_token(place, said).actions == {"tables.list"}


def test_a_token_ends_on_its_day_or_by_hand(place, somebody, moment):
    said, kept = make_token(place, somebody, "x", scopes=["sql.run"], days=2)
    other, _kept = make_token(place, somebody, "y", scopes=["sql.run"], days=2)
    revoke_token(place, somebody, kept.id)
    assert person_of_token(place, said) is None
    assert person_of_token(place, other) is not None
    moment.passes(days=2)
    assert person_of_token(place, other) is None
    events = [entry.event for entry in entries(place, subject=kept.id).entries]
    assert events == ["token.revoked", "token.made"]


def test_the_last_use_of_a_token_is_kept(place, somebody, moment):
    said, _kept = make_token(place, somebody, "x", scopes=["sql.run"], days=2)
    assert tokens_of(place, somebody)[0].last_used_at is None
    person_of_token(place, said)
    assert tokens_of(place, somebody)[0].last_used_at == moment.at


def test_a_token_of_somebody_who_must_change_the_password_waits(place, somebody):
    said, _kept = make_token(place, somebody, "x", scopes=["sql.run"], days=2)
    set_password(place, "jma.1", "another good password", must_change=True)
    assert person_of_token(place, said) is None
    set_password(place, "jma.1", "yet another good password")
    assert person_of_token(place, said) is None, "who had the old password may have made it"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("ACC-131", {"name": "  "}),
        ("ACC-131", {"name": "x" * 81}),
        ("ACC-132", {"scopes": ["ledger.read"]}),
        ("ACC-132", {"scopes": ["token.own"]}),
        ("ACC-133", {"scopes": []}),
        ("ACC-134", {"days": 0}),
        ("ACC-134", {"days": 366}),
    ],
)
def test_a_token_that_would_do_too_much_is_refused(place, somebody, code, changes):
    asked = {"name": "x", "scopes": ["sql.run"], "days": 30, **changes}
    with pytest.raises(AccountError) as refused:
        make_token(place, somebody, asked.pop("name"), **asked)
    assert refused.value.code == code


def test_nobody_revokes_anothers_token(place, somebody):
    other = add_user(place, "jma.2", organisation="iom", roles=["analyst"], password=WORDS)
    said, kept = make_token(place, somebody, "x", scopes=["sql.run"], days=2)
    for token_id in (kept.id, "no such id"):
        with pytest.raises(AccountError) as refused:
            revoke_token(place, other, token_id)
        assert refused.value.code == "ACC-135"
    assert person_of_token(place, said) is not None


def test_a_job_has_an_id_that_cannot_be_guessed(place, somebody):
    with sessions(place).begin() as session:
        jobs = [
            Job(kind="extract", owner=somebody.user_id, organisation="minusca_unpol", request={})
            for _ in range(20)
        ]
        session.add_all(jobs)
    assert len({job.id for job in jobs}) == 20
    assert all(len(job.id) >= 32 and job.state == "queued" for job in jobs)

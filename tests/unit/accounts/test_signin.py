"""Signing in: one answer for every failure, the lock, the second factor, the ledger's entries."""

from __future__ import annotations

import threading

import pyotp
import pytest
import sqlalchemy as sa
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from pipelines.accounts import passwords
from pipelines.accounts.faults import AccountRefused
from pipelines.accounts.models import User
from pipelines.accounts.people import add_user, find_user, set_active, set_password
from pipelines.accounts.permissions import Person
from pipelines.accounts.signin import FAILURES, Failure, authenticate, is_password_right
from pipelines.accounts.totp import confirm_totp, enrol_totp, remove_totp
from pipelines.ledger.chain import entries
from pipelines.ledger.database import sessions

NAME, WORDS = "minusca.jma", "correct horse battery"


@pytest.fixture
def somebody(place, moment) -> Person:
    return add_user(
        place, NAME, organisation="minusca_unpol", roles=["mission_staff"], password=WORDS
    )


def fail(place, times: int = FAILURES) -> None:
    for _ in range(times):
        assert authenticate(place, NAME, "wrong") == Failure()


def events(place) -> list[str]:
    return [entry.event for entry in reversed(entries(place).entries)]


def test_the_right_password_signs_in_whatever_the_case_of_the_name(place, somebody):
    assert authenticate(place, " MINUSCA.JMA ", WORDS) == somebody


def test_letters_with_accents_may_come_in_either_form(place, somebody):
    set_password(place, NAME, "forêt équatoriale")
    assert authenticate(place, NAME, "fore\u0302t e\u0301quatoriale") == find_person(place)


def find_person(place) -> Person:
    from pipelines.accounts.people import person_of

    return person_of(find_user(place, NAME))


def test_every_failure_gets_the_same_answer(place, somebody):
    set_active(place, NAME, False)
    disabled = authenticate(place, NAME, WORDS)
    set_active(place, NAME, True)
    wrong, unknown = authenticate(place, NAME, "x"), authenticate(place, "nobody", WORDS)
    fail(place)
    locked = authenticate(place, NAME, WORDS)
    assert disabled == wrong == unknown == locked == Failure()
    assert "15" in locked.text("en")
    assert locked.text("fr") != locked.text("en")


def test_every_failure_costs_one_verification(place, somebody, monkeypatch):
    verified = []
    hasher = type(passwords._hasher())
    real = hasher.verify

    def counted(self, *arguments):
        verified.append(1)
        return real(self, *arguments)

    monkeypatch.setattr(hasher, "verify", counted)
    without_one = "monusco.oidc"
    add_user(place, without_one, organisation="monusco_unpol", roles=["analyst"])
    for name in (NAME, "nobody", without_one):
        verified.clear()
        assert authenticate(place, name, "x") == Failure()
        assert len(verified) == 1


def test_an_account_without_a_password_cannot_be_entered_with_one(place, moment):
    add_user(place, "a.b", organisation="iom", roles=["analyst"], oidc=("https://i", "s"))
    for password in ("", "None", "x" * 5_000):
        assert authenticate(place, "a.b", password) == Failure()


def test_five_failures_lock_and_each_lock_lasts_twice_as_long(place, somebody, moment):
    for minutes in (15, 30, 60):
        fail(place)
        assert authenticate(place, NAME, WORDS) == Failure()
        moment.passes(minutes=minutes, seconds=-1)
        assert authenticate(place, NAME, WORDS) == Failure()
        moment.passes(seconds=2)
    assert authenticate(place, NAME, WORDS) == somebody
    fail(place)  # after a success it is a quarter of an hour again
    moment.passes(minutes=15, seconds=1)
    assert authenticate(place, NAME, WORDS) == somebody


def test_a_lock_lasts_a_day_at_most(place, somebody, moment):
    for _ in range(12):
        fail(place)
        moment.passes(days=1, seconds=1)
    assert authenticate(place, NAME, WORDS) == somebody


def test_four_failures_and_a_success_count_as_none(place, somebody):
    for _ in range(3):
        fail(place, FAILURES - 1)
        assert authenticate(place, NAME, WORDS) == somebody


def test_many_guesses_at_once_do_not_pass_the_lock(place, somebody):
    answers: list[object] = []

    def guess(password: str) -> None:
        answers.append(authenticate(place, NAME, password))

    guesses = ["wrong"] * 16
    threads = [threading.Thread(target=guess, args=(password,)) for password in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [Failure()] * 16
    assert authenticate(place, NAME, WORDS) == Failure()
    assert events(place).count("signin.locked") == 1


def test_failures_are_in_the_ledger_without_what_was_typed(place, somebody):
    authenticate(place, "my-secret-password", "x")
    fail(place)
    authenticate(place, NAME, WORDS)
    assert events(place)[1:] == [*["signin.failed"] * 6, "signin.locked", "signin.failed"]
    assert "my-secret-password" not in repr(entries(place).entries)
    details = [e.details["account"] for e in entries(place, events=["signin.failed"]).entries]
    assert details == ["locked", *["counted"] * 5, "unknown"]


def test_a_hash_of_other_parameters_is_made_anew_at_sign_in(place, somebody, monkeypatch):
    before = find_user(place, NAME).password_hash
    stronger = type(CHEAPEST)(**{**vars_of(CHEAPEST), "time_cost": 2})
    monkeypatch.setattr(passwords, "PARAMETERS", stronger)
    assert authenticate(place, NAME, "wrong") == Failure()
    assert find_user(place, NAME).password_hash == before
    assert authenticate(place, NAME, WORDS) == somebody
    after = find_user(place, NAME).password_hash
    assert "t=2" in after
    assert authenticate(place, NAME, WORDS) == somebody
    assert find_user(place, NAME).password_hash == after


def vars_of(parameters) -> dict[str, object]:
    return {name: getattr(parameters, name) for name in parameters.__dataclass_fields__}


def test_the_parameters_are_those_of_rfc_9106():
    import importlib

    fresh = importlib.reload(passwords).PARAMETERS
    assert fresh == RFC_9106_LOW_MEMORY
    assert (fresh.type.name, fresh.memory_cost) == ("ID", 64 * 1024)


def enrol(place, somebody) -> pyotp.TOTP:
    enrolment = enrol_totp(place, somebody.user_id)
    assert enrolment.secret in enrolment.uri
    code = pyotp.TOTP(enrolment.secret)
    return code


def test_the_second_factor_counts_once_it_is_confirmed(place, somebody, moment):
    code = enrol(place, somebody)
    assert authenticate(place, NAME, WORDS) == somebody
    with pytest.raises(AccountRefused) as refused:
        confirm_totp(place, somebody.user_id, "000000")
    assert (refused.value.code, refused.value.field) == ("ACC-121", "code")
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    moment.passes(seconds=30)
    assert authenticate(place, NAME, WORDS) == Failure()
    spaced = f"{code.at(moment.at)[:3]} {code.at(moment.at)[3:]}"
    person = authenticate(place, NAME, WORDS, spaced)
    assert person.has_second_factor


def test_a_code_is_good_once(place, somebody, moment):
    code = enrol(place, somebody)
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    assert authenticate(place, NAME, WORDS, code.at(moment.at)) == Failure()
    moment.passes(seconds=30)
    late = code.at(moment.at)
    assert isinstance(authenticate(place, NAME, WORDS, late), Person)
    assert authenticate(place, NAME, WORDS, late) == Failure()
    moment.passes(seconds=30)
    assert isinstance(authenticate(place, NAME, WORDS, code.at(moment.at)), Person)


def test_a_code_of_one_half_minute_ago_is_taken_and_of_two_is_not(place, somebody, moment):
    code = enrol(place, somebody)
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    moment.passes(minutes=5)
    old, older = moment.at.timestamp() - 30, moment.at.timestamp() - 60
    assert authenticate(place, NAME, WORDS, code.at(older)) == Failure()
    assert isinstance(authenticate(place, NAME, WORDS, code.at(old)), Person)


def test_wrong_codes_lock_as_wrong_passwords_do(place, somebody, moment):
    code = enrol(place, somebody)
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    moment.passes(minutes=1)
    for _ in range(FAILURES):
        assert authenticate(place, NAME, WORDS, "12") == Failure()
    assert authenticate(place, NAME, WORDS, code.at(moment.at)) == Failure()


def test_the_secret_is_kept_as_ciphertext_under_the_key_of_the_home(place, somebody, moment):
    enrolment = enrol_totp(place, somebody.user_id)
    kept = find_user(place, NAME).totp_pending
    assert enrolment.secret not in kept
    confirm_totp(place, somebody.user_id, pyotp.TOTP(enrolment.secret).at(moment.at))
    key = place.secrets / "totp.key"
    assert key.stat().st_mode & 0o077 == 0
    key.write_text("0" * 64)
    moment.passes(minutes=1)
    with pytest.raises(AccountRefused) as refused:
        authenticate(place, NAME, WORDS, "123456")
    assert refused.value.code == "ACC-401"
    remove_totp(place, NAME)
    assert isinstance(authenticate(place, NAME, WORDS), Person)


def test_a_second_factor_cannot_be_confirmed_before_it_was_begun(place, somebody):
    with pytest.raises(AccountRefused) as refused:
        confirm_totp(place, somebody.user_id, "123456")
    assert refused.value.code == "ACC-122"


def test_a_session_that_was_stolen_cannot_try_passwords_for_ever(place, somebody):
    assert is_password_right(place, somebody.user_id, WORDS)
    for _ in range(FAILURES):
        assert not is_password_right(place, somebody.user_id, "wrong")
    assert not is_password_right(place, somebody.user_id, WORDS)
    assert not is_password_right(place, "no such id", WORDS)


def test_a_password_that_changed_meanwhile_does_not_sign_in(place, somebody, monkeypatch):
    real = passwords.is_right

    def slow(kept, password):
        answer = real(kept, password)
        with sessions(place).begin() as session:
            values = {"password_hash": passwords.hash_of("something else")}
            session.execute(sa.update(User).values(values))
        return answer

    monkeypatch.setattr(passwords, "is_right", slow)
    assert authenticate(place, NAME, WORDS) == Failure()

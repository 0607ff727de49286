"""Signing in: one answer for every failure, the delays, known devices, the code, the ledger."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from pipelines.accounts import passwords
from pipelines.accounts.delays import FREE, address_wait_s, count_address, delayed_until
from pipelines.accounts.devices import MOST, devices_of, remember_device, remove_device
from pipelines.accounts.errors import AccountError
from pipelines.accounts.models import SigninFailures, User
from pipelines.accounts.people import add_user, find_user, set_active, set_password
from pipelines.accounts.permissions import Person
from pipelines.accounts.sessions import note_failures_read, open_session, person_of_session
from pipelines.accounts.signin import Failure, authenticate, is_password_right
from pipelines.accounts.totp import confirm_totp, enrol_totp, remove_totp
from pipelines.ledger import database
from pipelines.ledger.chain import entries
from pipelines.ledger.database import dispose, engine, sessions

FAILURES = FREE + 1
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
    return [entry.event for entry in reversed(entries(place, size=100_000).entries)]


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


def test_five_failures_delay_and_each_further_one_for_twice_as_long(place, somebody, moment):
    fail(place)
    for minutes in (15, 30, 60):
        assert authenticate(place, NAME, WORDS) == Failure()
        moment.passes(minutes=minutes, seconds=-1)
        assert authenticate(place, NAME, WORDS) == Failure()
        moment.passes(seconds=2)
        fail(place, 1)
    moment.passes(hours=2, seconds=1)
    assert authenticate(place, NAME, WORDS) == somebody
    fail(place)  # after a success it is a quarter of an hour again
    moment.passes(minutes=15, seconds=1)
    assert authenticate(place, NAME, WORDS) == somebody


def test_a_delay_lasts_a_day_at_most(place, somebody, moment):
    fail(place)
    for _ in range(12):
        moment.passes(days=1, seconds=1)
        fail(place, 1)
    moment.passes(days=1, seconds=1)
    assert authenticate(place, NAME, WORDS) == somebody


def test_four_failures_and_a_success_count_as_none(place, somebody):
    for _ in range(3):
        fail(place, FAILURES - 1)
        assert authenticate(place, NAME, WORDS) == somebody


def test_an_attack_from_everywhere_does_not_keep_its_owner_out(place, somebody, moment):
    mine = remember_device(place, somebody, "", "Firefox, Windows")
    for _day in range(2):
        fail(place, 10)
        assert authenticate(place, NAME, WORDS) == Failure(), "no device is known by nothing"
        assert authenticate(place, NAME, WORDS, device="guessed") == Failure()
        assert authenticate(place, NAME, WORDS, device=mine) == somebody
        assert authenticate(place, NAME, "mistyped", device=mine) == Failure()
        assert authenticate(place, NAME, WORDS, device=mine) == somebody
        moment.passes(days=1)

    def the_owner_signs_in() -> None:
        moment.passes(hours=12)
        assert authenticate(place, NAME, WORDS, device=mine) == somebody

    # That gives the others no new tries: about one a day, as if nobody had.
    assert guesses_considered(place, the_owner_signs_in, times=2 * 14) <= 14 + 10


def guesses_considered(place, between, times: int, device: str = "") -> int:
    """Of so many guesses, how many were looked at; the others met a delay."""
    before = len(counted(place))
    for _ in range(times):
        assert authenticate(place, NAME, "guess", device=device) == Failure()
        between()
    return len(counted(place)) - before


def counted(place) -> list[object]:
    found = entries(place, events=["signin.failed"], size=100_000).entries
    return [one for one in found if one.details["account"] == "counted"]


def test_who_guesses_slowly_gets_about_one_guess_a_day(place, somebody, moment):
    """As often as each delay allows, from ever new devices, for four weeks."""
    tried = guesses_considered(place, lambda: moment.passes(hours=12), times=2 * 25)
    assert 25 <= tried <= 25 + 15
    moment.passes(days=90)
    assert authenticate(place, NAME, WORDS) == somebody


def test_one_guess_a_day_is_forgotten_as_it_comes(place, somebody, moment):
    assert guesses_considered(place, lambda: moment.passes(days=1), times=12) == 12
    assert authenticate(place, NAME, WORDS) == somebody


def test_a_known_device_is_counted_by_itself(place, somebody, moment):
    stolen = remember_device(place, somebody, "", "Firefox, Windows")
    other = remember_device(place, somebody, "", "Chrome, Android")
    assert guesses_considered(place, lambda: None, times=20, device=stolen) == FAILURES
    assert authenticate(place, NAME, WORDS, device=stolen) == Failure()
    assert authenticate(place, NAME, WORDS, device=other) == somebody
    assert authenticate(place, NAME, WORDS) == somebody
    moment.passes(minutes=16)
    assert authenticate(place, NAME, WORDS, device=stolen) == somebody


def test_a_device_is_known_to_its_own_account_only_and_until_it_is_removed(place, somebody, moment):
    other = add_user(place, "a.colleague", organisation="iom", roles=["analyst"], password=WORDS)
    theirs = remember_device(place, other, "", "Firefox, Windows")
    mine = remember_device(place, somebody, "", "Firefox, Windows")
    fail(place)
    assert authenticate(place, NAME, WORDS, device=theirs) == Failure()
    [kept] = devices_of(place, somebody)
    with pytest.raises(AccountError):
        remove_device(place, other, kept.id, "")
    assert authenticate(place, NAME, WORDS, device=mine) == somebody
    here, there = open_session(place, somebody), open_session(place, somebody)
    remove_device(place, somebody, kept.id, here)
    assert person_of_session(place, here) and person_of_session(place, there) is None
    assert authenticate(place, NAME, WORDS, device=mine) == Failure()
    assert {"device.added", "device.removed"} <= set(events(place))
    assert mine not in repr(entries(place).entries)


def test_an_old_device_a_new_password_and_a_disabled_account_are_known_no_longer(
    place, somebody, moment
):
    device = remember_device(place, somebody, "", "x")
    moment.passes(days=181)
    fail(place)
    assert authenticate(place, NAME, WORDS, device=device) == Failure()
    moment.passes(days=1)
    device = remember_device(place, somebody, device, "x")
    set_password(place, NAME, "another one that is long")
    assert devices_of(place, somebody) == []
    remember_device(place, somebody, "", "x")
    set_active(place, NAME, False)
    assert devices_of(place, somebody) == []


def test_of_many_devices_the_one_used_longest_ago_gives_way(place, somebody, moment):
    first, *_more = [
        (moment.passes(hours=1), remember_device(place, somebody, "", f"{n}"))[1]
        for n in range(MOST)
    ]
    moment.passes(hours=1)
    assert remember_device(place, somebody, first, "0") == first, "it was used"
    moment.passes(hours=1)
    remember_device(place, somebody, "", "new")
    labels = [one.label for one in devices_of(place, somebody)]
    assert len(labels) == MOST and labels[:2] == ["new", "0"] and "1" not in labels


def test_an_owner_is_told_at_the_next_sign_in(place, somebody, moment):
    fail(place, 7)
    at = moment.at
    moment.passes(hours=1)
    session = open_session(place, somebody)
    found = person_of_session(place, session)
    assert (found.failures_told, found.failures_told_at) == (7, at)
    entry = entries(place, events=["signin.succeeded"]).entries[0]
    assert entry.details["failures_told"] == 7
    again = open_session(place, somebody)
    assert person_of_session(place, again).failures_told == 0
    note_failures_read(place, session)
    assert person_of_session(place, session).failures_told == 0


def test_a_stranger_costs_as_much_as_an_account(place, somebody, moment):
    """The same statements and entries, with and without an account, before and in the delay."""
    base = engine(place)

    def cost(name: str) -> list[tuple[list[str], list[str]]]:
        found = []
        for _ in range(FAILURES + 2):
            statements: list[str] = []

            def note(_c, _cursor, statement, *_more, statements=statements):
                statements.append(" ".join(statement.split()[:3]))

            before = len(events(place))
            sa.event.listen(base, "before_cursor_execute", note)
            try:
                assert authenticate(place, name, "wrong") == Failure()
            finally:
                sa.event.remove(base, "before_cursor_execute", note)
            found.append((statements, events(place)[before:]))
        return found

    cost("warm.up")
    assert cost(NAME) == cost("nobody.of.this.name")


def test_a_lock_of_before_stays_closed_after_the_upgrade(place, moment):
    with engine(place).begin() as connection:
        config = Config()
        folder = Path(database.__file__).parent / "migrations"
        config.set_main_option("script_location", str(folder))
        config.attributes |= {"connection": connection, "settings": place}
        command.upgrade(config, "0002")
        users = sa.Table("users", sa.MetaData(), autoload_with=connection)
        for name, until in ((NAME, moment.at + dt.timedelta(hours=1)), ("another", None)):
            connection.execute(
                users.insert().values(
                    **{"id": name, "name": name, "organisation": "iom", "roles": ["analyst"]},
                    **{"language": "en", "is_active": True, "must_change_password": False},
                    **{"totp_last_counter": 0, "failed_count": 0, "lockouts": 3},
                    **{"created_at": moment.at.replace(tzinfo=None), "is_narrowed": False},
                    feeds=[],
                    password_hash=passwords.hash_of(WORDS),
                    locked_until=until and until.replace(tzinfo=None),
                )
            )
    dispose(place)
    assert delayed_until(place, NAME) == moment.at + dt.timedelta(hours=1)
    assert authenticate(place, NAME, WORDS) == Failure()
    assert isinstance(authenticate(place, "another", WORDS), Person)
    moment.passes(hours=1, seconds=1)
    assert isinstance(authenticate(place, NAME, WORDS), Person)


def test_many_guesses_at_once_do_not_pass_the_delay(place, somebody):
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
    assert len(counted(place)) == FAILURES


def test_an_address_is_counted_for_all_processes_and_opens_again(place, moment):
    for number in range(5):
        assert address_wait_s(place, "2001:db8::1", 5, 600) == 0
        count_address(place, f"2001:db8::{number}", 600)  # one household has all of them
    assert address_wait_s(place, "2001:db8::99", 5, 600) == 600
    assert address_wait_s(place, "2001:db8:0:1::1", 5, 600) == 0
    assert address_wait_s(place, "203.0.113.1", 5, 600) == 0
    moment.passes(seconds=599)
    assert address_wait_s(place, "2001:db8::1", 5, 600) == 1
    moment.passes(seconds=1)
    assert address_wait_s(place, "2001:db8::1", 5, 600) == 0
    count_address(place, "2001:db8::1", 600)
    assert address_wait_s(place, "2001:db8::1", 5, 600) == 0
    with sessions(place)() as session:
        kept = session.scalars(sa.select(SigninFailures.subject)).all()
    assert kept and not any("2001" in one for one in kept)


def test_failures_are_in_the_ledger_without_what_was_typed(place, somebody):
    authenticate(place, "my-secret-password", "x")
    fail(place)
    authenticate(place, NAME, WORDS)
    assert events(place)[1:] == [*["signin.failed"] * 6, "signin.locked", "signin.failed"]
    assert "my-secret-password" not in repr(entries(place).entries)
    details = [e.details["account"] for e in entries(place, events=["signin.failed"]).entries]
    assert details == ["delayed", *["counted"] * 5, "unknown"]


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
    with pytest.raises(AccountError) as refused:
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


def test_a_code_opens_in_spite_of_an_attack(place, somebody, moment):
    code = enrol(place, somebody)
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    fail(place, 30)
    moment.passes(minutes=1)
    assert authenticate(place, NAME, WORDS) == Failure()
    assert authenticate(place, NAME, "wrong", code.at(moment.at)) == Failure()
    assert isinstance(authenticate(place, NAME, WORDS, code.at(moment.at)), Person)
    moment.passes(minutes=1)
    # It ended no delay: who has no code waits on.
    assert guesses_considered(place, lambda: None, times=3) == 0


def test_who_has_the_password_cannot_try_codes_for_ever(place, somebody, moment):
    code = enrol(place, somebody)
    confirm_totp(place, somebody.user_id, code.at(moment.at))
    mine = remember_device(place, somebody, "", "Firefox, Windows")
    moment.passes(minutes=1)
    for _ in range(30):
        assert authenticate(place, NAME, WORDS, "12") == Failure()
    assert authenticate(place, NAME, WORDS, code.at(moment.at)) == Failure()
    assert isinstance(authenticate(place, NAME, WORDS, code.at(moment.at), mine), Person)
    moment.passes(minutes=16)
    assert isinstance(authenticate(place, NAME, WORDS, code.at(moment.at)), Person)


def test_the_secret_is_kept_as_ciphertext_under_the_key_of_the_home(place, somebody, moment):
    enrolment = enrol_totp(place, somebody.user_id)
    kept = find_user(place, NAME).totp_pending
    assert enrolment.secret not in kept
    confirm_totp(place, somebody.user_id, pyotp.TOTP(enrolment.secret).at(moment.at))
    key = place.secrets / "totp.key"
    assert key.stat().st_mode & 0o077 == 0
    key.write_text("0" * 64)
    moment.passes(minutes=1)
    with pytest.raises(AccountError) as refused:
        authenticate(place, NAME, WORDS, "123456")
    assert refused.value.code == "ACC-401"
    remove_totp(place, NAME)
    assert isinstance(authenticate(place, NAME, WORDS), Person)


def test_a_second_factor_cannot_be_confirmed_before_it_was_begun(place, somebody):
    with pytest.raises(AccountError) as refused:
        confirm_totp(place, somebody.user_id, "123456")
    assert refused.value.code == "ACC-122"


def test_a_session_that_was_stolen_cannot_try_passwords_for_ever(place, somebody):
    mine, stolen = open_session(place, somebody), open_session(place, somebody)
    assert is_password_right(place, somebody.user_id, WORDS, stolen)
    for _ in range(FAILURES):
        assert person_of_session(place, stolen) is not None
        assert not is_password_right(place, somebody.user_id, "wrong", stolen)
    assert person_of_session(place, stolen) is None, "it ended"
    assert not is_password_right(place, somebody.user_id, WORDS, stolen)
    assert is_password_right(place, somebody.user_id, WORDS, mine)
    assert not is_password_right(place, "no such id", WORDS, mine)


def test_an_attack_elsewhere_does_not_keep_anybody_from_changing_the_password(place, somebody):
    fail(place, 20)
    session = open_session(place, somebody)
    assert is_password_right(place, somebody.user_id, WORDS, session)


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

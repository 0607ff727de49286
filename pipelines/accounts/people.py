"""Accounts: adding, changing, finding them; each change is in the ledger.

Not here: signing in (`signin.py`) and what a role may do (`permissions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import orm

from pipelines.accounts import passwords
from pipelines.accounts.delays import forget, of_account, of_code
from pipelines.accounts.devices import remove_all_devices
from pipelines.accounts.errors import AccountError
from pipelines.accounts.models import Session, Token, User
from pipelines.accounts.permissions import OPERATOR_ROLE, ROLES, ROLES_BY_FEED, Person
from pipelines.core import clock
from pipelines.core.settings import Settings
from pipelines.ledger.chain import OPERATOR, OPERATORS, Writing, writing
from pipelines.ledger.database import readings, troubles
from schemas.codelist import codes
from schemas.feed import feed_names
from schemas.text import LANGUAGES

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,79}")


def add_user(
    settings: Settings,
    name: str,
    *,
    organisation: str,
    roles: Sequence[str],
    password: str | None = None,
    language: str = "en",
    must_change_password: bool = False,
    oidc: tuple[str, str] | None = None,
    feeds: Sequence[str] = (),
    actor: str = OPERATOR,
) -> Person:
    """Add an account; `oidc` is (issuer, subject). Raises AccountError, LedgerError.

    `feeds` are those that it reaches beside its organisation's own. Without a password nobody can
    sign in with one: the account is for OpenID Connect.
    """
    name, checked = check_new(settings, name, organisation, roles, language)
    granted = _checked_feeds(name, checked, feeds)
    if password is not None:
        passwords.check(password, name)
    kept = passwords.hash_of(password) if password is not None else None
    with writing(settings) as work:
        _check_free(work.session, name)
        user = User(
            name=name,
            organisation=organisation,
            roles=checked,
            feeds=granted,
            language=language,
            password_hash=kept,
            must_change_password=must_change_password,
        )
        if oidc:
            _link(work.session, user, oidc)
        work.session.add(user)
        work.session.flush()
        said: dict[str, object] = {"organisation": organisation, "roles": checked}
        if granted:
            said["feeds"] = granted
        _note(work, "user.added", user, actor, said)
        return person_of(user)


def check_new(
    settings: Settings, name: str, organisation: str, roles: Sequence[str], language: str
) -> tuple[str, list[str]]:
    """The name and the roles as they are kept. Raises AccountError where one cannot be."""
    name = name.casefold().strip()
    if not NAME.fullmatch(name):
        raise AccountError("ACC-105", "name")
    _check_organisation(organisation)
    checked = _checked_roles(roles)
    _check_language(language)
    with troubles(), readings(settings).begin() as session:
        _check_free(session, name)
    return name, checked


def users(settings: Settings) -> list[User]:
    """All accounts, by name."""
    with troubles(), readings(settings).begin() as session:
        return list(session.scalars(sa.select(User).order_by(User.name)))


def find_user(settings: Settings, name: str) -> User:
    """The account of this name. Raises AccountError (ACC-102)."""
    with troubles(), readings(settings).begin() as session:
        return _named(session, name)


def person(settings: Settings, user_id: str) -> Person | None:
    """Who has this id, where the account is active."""
    with troubles(), readings(settings).begin() as session:
        user = session.get(User, user_id)
        return person_of(user) if user and user.is_active else None


def person_of_oidc(settings: Settings, issuer: str, subject: str) -> Person | None:
    """Who has this identity of an OpenID provider, where the account is active."""
    chosen = sa.select(User).where(User.oidc_issuer == issuer, User.oidc_subject == subject)
    with troubles(), readings(settings).begin() as session:
        user = session.scalar(chosen)
        return person_of(user) if user and user.is_active else None


def link_oidc(
    settings: Settings, name: str, issuer: str, subject: str, *, actor: str = OPERATOR
) -> None:
    """Let an identity of an OpenID provider sign in to an account. Raises AccountError."""

    def change(work: Writing, user: User) -> dict[str, object]:
        _link(work.session, user, (issuer, subject))
        return {"oidc_issuer": issuer}

    change_named(settings, name, change, actor)


def set_active(settings: Settings, name: str, is_active: bool, *, actor: str = OPERATOR) -> None:
    """Disable an account, which ends its sessions and tokens, or enable it. AccountError."""

    def change(work: Writing, user: User) -> dict[str, object]:
        user.is_active = is_active
        _open_again(settings, work, user)
        if not is_active:
            end_sessions(work.session, user.id)
            remove_all_devices(work.session, user.id)
            _revoke_tokens(work.session, user.id)
        return {"is_active": is_active}

    change_named(settings, name, change, actor)


def set_roles(
    settings: Settings, name: str, roles: Sequence[str], *, actor: str = OPERATOR
) -> None:
    """Give an account exactly these roles; what its tokens may do shrinks with them."""
    checked = _checked_roles(roles)

    def change(_work: Writing, user: User) -> dict[str, object]:
        before, user.roles = user.roles, checked
        said: dict[str, object] = {"roles": checked, "roles_before": before}
        if user.feeds and not ROLES_BY_FEED & set(checked):
            said |= {"feeds": [], "feeds_before": user.feeds}
            user.feeds = []
        return said

    change_named(settings, name, change, actor)


def set_feeds(
    settings: Settings, name: str, feeds: Sequence[str], *, actor: str = OPERATOR
) -> None:
    """Let an account reach exactly these feeds beside its organisation's own. AccountError."""

    def change(_work: Writing, user: User) -> dict[str, object]:
        granted = _checked_feeds(user.name, user.roles, feeds)
        before, user.feeds = user.feeds, granted
        user.is_narrowed = False
        return {"feeds": granted, "feeds_before": before}

    change_named(settings, name, change, actor)


def narrowed_users(settings: Settings) -> list[User]:
    """Who once reached every organisation, until it is said what they shall reach; by name."""
    with troubles(), readings(settings).begin() as session:
        chosen = sa.select(User).where(User.is_narrowed, User.is_active).order_by(User.name)
        return [user for user in session.scalars(chosen) if ROLES_BY_FEED & set(user.roles)]


def set_language(settings: Settings, name: str, language: str, *, actor: str) -> None:
    """Which language an account reads."""
    _check_language(language)

    def change(_work: Writing, user: User) -> dict[str, object]:
        user.language = language
        return {"language": language}

    change_named(settings, name, change, actor)


def set_password(
    settings: Settings,
    name: str,
    password: str,
    *,
    must_change: bool = False,
    actor: str = OPERATOR,
) -> None:
    """Give an account another password; its sessions, tokens, devices and delay end.

    Tokens and devices too: whoever had the old password may have made one, or signed in on one.
    Raises AccountError.
    """
    user = find_user(settings, name)
    passwords.check(password, user.name)
    if not must_change and passwords.is_right(user.password_hash, password):
        raise AccountError("ACC-115", "password")
    kept = passwords.hash_of(password)

    def change(work: Writing, user: User) -> dict[str, object]:
        user.password_hash, user.must_change_password = kept, must_change
        _open_again(settings, work, user)
        end_sessions(work.session, user.id)
        remove_all_devices(work.session, user.id)
        _revoke_tokens(work.session, user.id)
        return {"password": "changed"}

    change_named(settings, name, change, actor)


def end_sessions(session: orm.Session, user_id: str) -> None:
    """Close every session of an account, in the caller's transaction."""
    session.execute(sa.delete(Session).where(Session.user_id == user_id))


def _open_again(settings: Settings, work: Writing, user: User) -> None:
    """Let unknown devices try again at once."""
    forget(work.session, of_account(settings, user.name), of_code(user.id))


def _revoke_tokens(session: orm.Session, user_id: str) -> None:
    mine = sa.update(Token).where(Token.user_id == user_id, Token.revoked_at.is_(None))
    session.execute(mine.values(revoked_at=clock.now()))


def person_of(user: User) -> Person:
    """The account as the rest of the program knows it."""
    return Person(
        user_id=user.id,
        name=user.name,
        organisation=user.organisation,
        roles=tuple(user.roles),
        language="fr" if user.language == "fr" else "en",
        must_change_password=user.must_change_password,
        has_second_factor=user.totp_secret is not None,
        feeds=tuple(user.feeds),
    )


def change_user(
    settings: Settings,
    user_id: str,
    change: Callable[[Writing, User], dict[str, object]],
) -> None:
    """Change one's own account and write down what `change` says of it. Raises AccountError."""
    with writing(settings) as work:
        user = work.session.get(User, user_id)
        if user is None:
            raise AccountError("ACC-102", name="")
        _note(work, "user.changed", user, user.name, change(work, user))


def change_named(
    settings: Settings,
    name: str,
    change: Callable[[Writing, User], dict[str, object]],
    actor: str,
) -> None:
    with writing(settings) as work:
        user = _named(work.session, name)
        _note(work, "user.changed", user, actor, change(work, user))


def _note(work: Writing, event: str, user: User, actor: str, details: dict[str, object]) -> None:
    organisation = OPERATORS if actor == OPERATOR else user.organisation
    work.append(event, actor=actor, organisation=organisation, subject=user.name, details=details)


def _named(session: orm.Session, name: str) -> User:
    user = session.scalar(sa.select(User).where(User.name == name.casefold().strip()))
    if user is None:
        raise AccountError("ACC-102", "name", name=name)
    return user


def _link(session: orm.Session, user: User, oidc: tuple[str, str]) -> None:
    issuer, subject = oidc
    chosen = sa.select(User.id).where(User.oidc_issuer == issuer, User.oidc_subject == subject)
    with session.no_autoflush:
        other = session.scalar(chosen)
    if other not in (None, user.id):
        raise AccountError("ACC-141")
    user.oidc_issuer, user.oidc_subject = issuer, subject


def _check_free(session: orm.Session, name: str) -> None:
    if session.scalar(sa.select(User.id).where(User.name == name)):
        raise AccountError("ACC-101", "name", name=name)


def _check_organisation(organisation: str) -> None:
    known = codes("organisations")
    if organisation not in known:
        raise AccountError(
            "ACC-103", "organisation", name=organisation, known=", ".join(sorted(known))
        )


def _checked_roles(roles: Sequence[str]) -> list[str]:
    known = ", ".join(sorted(ROLES))
    if not roles:
        raise AccountError("ACC-106", "roles", known=known)
    if unknown := sorted(set(roles) - ROLES.keys()):
        raise AccountError("ACC-104", "roles", name=unknown[0], known=known)
    if OPERATOR_ROLE in roles and len(set(roles)) > 1:
        raise AccountError("ACC-108", "roles")
    return sorted(set(roles))


def _checked_feeds(name: str, roles: Sequence[str], feeds: Sequence[str]) -> list[str]:
    if feeds and not ROLES_BY_FEED & set(roles):
        raise AccountError("ACC-109", "feeds", name=name, roles=", ".join(sorted(ROLES_BY_FEED)))
    known = feed_names()
    if unknown := sorted(set(feeds) - set(known)):
        raise AccountError("ACC-110", "feeds", name=unknown[0], known=", ".join(known))
    return sorted(set(feeds))


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise AccountError("ACC-107", "language", name=language, known=", ".join(LANGUAGES))

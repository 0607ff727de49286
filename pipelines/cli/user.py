"""The commands `user …`: who may sign in to the portal, from where, with which roles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from pipelines.cli.declare import argument, command, flag, noun, option
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, listed
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.accounts.models import User
    from pipelines.core.settings import Settings

Name = Annotated[str, argument(mark("NAME"), mark("the name that is typed at sign-in"))]
Roles = Annotated[
    list[str] | None,
    option(
        "--role",
        mark("ROLE"),
        mark(
            "mission_staff, provider, data_owner, data_specialist, analyst, oversight, or operator "
            "alone; may be given more than once"
        ),
    ),
]
Feeds = Annotated[
    list[str] | None,
    option(
        "--feed",
        mark("FEED"),
        mark("a feed of another organisation that it shall reach; may be given more than once"),
    ),
]
FromStdin = Annotated[bool, flag("--password-stdin", mark("read the password from standard input"))]
OneTime = Annotated[
    bool, flag("--one-time", mark("make a password, print it once, and have it changed at sign-in"))
]
Issuer = Annotated[
    str,
    option(
        "--oidc-issuer",
        mark("ADDRESS"),
        mark("sign in through this OpenID provider, with --oidc-subject"),
    ),
]
Subject = Annotated[
    str, option("--oidc-subject", mark("TEXT"), mark("who it is for that provider"))
]


@command(
    "add",
    mark(
        "Add an account for the portal.\n\n"
        "It asks for the password twice, without showing it. A name is a role or a function of an "
        "organisation, never a private name: it stands in the ledger for good."
    ),
    "passerelle user add jma.1 --organisation minusca_unpol --role mission_staff",
)
def add(  # noqa: PLR0917  (one parameter an option)
    session: Session,
    name: Name,
    organisation: Annotated[
        str, option("--organisation", mark("CODE"), mark("code of its organisation"))
    ],
    role: Roles = None,
    feed: Feeds = None,
    language: Annotated[
        str, option("--language", "en|fr", mark("the language of its pages"))
    ] = "en",
    password_stdin: FromStdin = False,
    one_time: OneTime = False,
    oidc_issuer: Issuer = "",
    oidc_subject: Subject = "",
) -> None:
    from pipelines.accounts.people import add_user, check_new

    if bool(oidc_issuer) != bool(oidc_subject):
        raise CommandError("PSL-233", _("--oidc-issuer and --oidc-subject go together."))
    oidc = (oidc_issuer, oidc_subject) if oidc_issuer else None
    # Before anybody thinks of a password.
    check_new(session.settings, name, organisation, role or (), language)
    wants_password = oidc is None or password_stdin or one_time
    password = _password(from_stdin=password_stdin, one_time=one_time) if wants_password else None
    person = add_user(
        session.settings,
        name,
        organisation=organisation,
        roles=role or (),
        password=password,
        language=language,
        must_change_password=one_time,
        oidc=oidc,
        feeds=feed or (),
    )
    shown: dict[str, object] = {
        "name": person.name,
        "organisation": person.organisation,
        "roles": person.roles,
        "feeds": person.feeds,
    }
    _tell(session, shown, password if one_time else None)


@command("list", mark("List the accounts of the portal."), "passerelle user list")
def list_users(session: Session) -> None:
    from pipelines.accounts.people import users

    found = users(session.settings)
    if session.is_json:
        session.print_json([_row(session.settings, user) for user in found])
        return
    if not found:
        session.print(_("There is no account yet."))
        return
    headings = (_("Name"), _("Organisation"), _("Roles"), _("Other feeds"), _("State"))
    grid = table(*headings, _("Second factor"), _("Last sign-in"), whole=[0])
    for user in found:
        seen = f"{user.last_signin_at:%Y-%m-%d %H:%M} UTC" if user.last_signin_at else _("never")
        factor = _("yes") if user.totp_secret else _("no")
        feeds = listed(user.feeds) if user.feeds else "–"
        roles = listed(user.roles)
        grid.add_row(
            user.name, user.organisation, roles, feeds, _state(session.settings, user), factor, seen
        )
    session.print(grid)


@command(
    "disable",
    mark("Let an account sign in no more; its sessions and its tokens end at once."),
    "passerelle user disable minusca.jma",
)
def disable(session: Session, name: Name) -> None:
    from pipelines.accounts.people import set_active

    set_active(session.settings, name, False)
    _tell(session, {"name": name, "state": "disabled"})


@command(
    "enable",
    mark("Let a disabled account sign in again, and unknown devices of an account at once."),
    "passerelle user enable minusca.jma",
)
def enable(session: Session, name: Name) -> None:
    from pipelines.accounts.people import set_active

    set_active(session.settings, name, True)
    _tell(session, {"name": name, "state": "active"})


@command(
    "set-password",
    mark(
        "Give an account another password; its sessions end at once.\n\n"
        "With --remove-second-factor the codes of a lost telephone are asked for no more."
    ),
    "passerelle user set-password minusca.jma --one-time",
    earlier="user password",
)
def set_password(
    session: Session,
    name: Name,
    password_stdin: FromStdin = False,
    one_time: OneTime = False,
    remove_second_factor: Annotated[
        bool, flag("--remove-second-factor", mark("ask for no code until one is set up"))
    ] = False,
) -> None:
    from pipelines.accounts.people import find_user
    from pipelines.accounts.people import set_password as change_password
    from pipelines.accounts.totp import remove_totp

    user = find_user(session.settings, name)
    new = _password(from_stdin=password_stdin, one_time=one_time)
    change_password(session.settings, user.name, new, must_change=one_time)
    if remove_second_factor:
        remove_totp(session.settings, user.name)
    _tell(session, {"name": user.name, "state": "active"}, new if one_time else None)


@command(
    "set-roles",
    mark("Give an account exactly these roles."),
    "passerelle user set-roles minusca.jma --role mission_staff --role analyst",
    earlier="user role",
)
def set_roles(session: Session, name: Name, role: Roles = None) -> None:
    from pipelines.accounts.people import set_roles as change_roles

    change_roles(session.settings, name, role or ())
    _tell(session, {"name": name, "roles": role or []})


@command(
    "set-feeds",
    mark(
        "Let an account reach exactly these feeds of other organisations.\n\n"
        "A data specialist and oversight work for their own organisation; this grants them feeds "
        "by name beside it, or with --none takes all of them away. What it was is in the ledger."
    ),
    "passerelle user set-feeds minusca.desk --feed caf_police_incidents",
    earlier="user feeds",
)
def set_feeds(
    session: Session,
    name: Name,
    feed: Feeds = None,
    is_none: Annotated[bool, flag("--none", mark("only what is its organisation's own"))] = False,
) -> None:
    from pipelines.accounts.people import set_feeds as change_feeds

    if bool(feed) == is_none:
        raise CommandError("PSL-238", _("Say which feeds with --feed, or --none."))
    change_feeds(session.settings, name, feed or ())
    _tell(session, {"name": name, "feeds": sorted(set(feed or ()))})


def _password(*, from_stdin: bool, one_time: bool) -> str:
    """From standard input, made here, or asked for twice; never an argument others could see."""
    from getpass import getpass

    from pipelines.accounts.passwords import one_time as make

    if from_stdin and one_time:
        raise CommandError("PSL-234", _("Choose one of --password-stdin and --one-time."))
    if one_time:
        return make()
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        message = _("There is no terminal here to ask for a password.")
        raise CommandError("PSL-235", message, _("Use --password-stdin or --one-time."))
    first = getpass(_("Password: "))
    if getpass(_("Once more: ")) != first:
        raise CommandError("PSL-236", _("The two passwords differ. Nothing was changed."))
    return first


def _tell(session: Session, said: dict[str, object], one_time: str | None = None) -> None:
    if session.is_json:
        session.print_json(said | ({"one_time_password": one_time} if one_time else {}))
        return
    session.print(_("Done: {name}.", name=said["name"]))
    if one_time:
        session.print(_("Password for the first sign-in: {password}", password=one_time))
        session.print(_("It is shown this once. Hand it over in person or by telephone."))


def _state(settings: Settings, user: User) -> str:
    from pipelines.accounts.delays import delayed_until

    if not user.is_active:
        return _("disabled")
    return _("unknown devices wait") if delayed_until(settings, user.name) else _("active")


def _row(settings: Settings, user: User) -> dict[str, object]:
    from pipelines.accounts.delays import delayed_until

    names = ("name", "organisation", "roles", "feeds", "language", "is_active", "last_signin_at")
    said = {one: getattr(user, one) for one in names}
    until = delayed_until(settings, user.name)
    return said | {"delayed_until": until, "second_factor": bool(user.totp_secret)}


NOUN = noun(
    "user",
    mark("Accounts of the portal: who may sign in, from where, with which roles."),
    list_users,
    add,
    set_password,
    set_roles,
    set_feeds,
    disable,
    enable,
)

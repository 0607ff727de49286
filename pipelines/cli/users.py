"""The commands `user …`: who may sign in to the portal, from which organisation, with which roles.

Not here: accounts themselves (`pipelines/accounts`) and what people change on their own page.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.declare import command, session_of
from pipelines.cli.errors import CommandError
from pipelines.cli.session import Session, table
from pipelines.cli.words import _, listed
from pipelines.core.i18n import mark

if TYPE_CHECKING:
    from pipelines.accounts.models import User
    from pipelines.core.settings import Settings

Name = Annotated[
    str, typer.Argument(metavar=mark("NAME"), help=mark("the name that is typed at sign-in"))
]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar=mark("ROLE"),
        help=mark(
            "mission_staff, provider, data_owner, data_specialist, analyst, oversight, or operator "
            "alone; may be given more than once"
        ),
    ),
]
Feeds = Annotated[
    list[str] | None,
    typer.Option(
        "--feed",
        metavar=mark("FEED"),
        help=mark(
            "a feed of another organisation that it shall reach; may be given more than once"
        ),
    ),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help=mark("read the password from standard input"))
]
OneTime = Annotated[
    bool,
    typer.Option(
        "--one-time", help=mark("make a password, print it once, and have it changed at sign-in")
    ),
]
Issuer = Annotated[
    str,
    typer.Option(
        "--oidc-issuer",
        metavar=mark("ADDRESS"),
        help=mark("sign in through this OpenID provider, with --oidc-subject"),
    ),
]
Subject = Annotated[
    str,
    typer.Option("--oidc-subject", metavar=mark("TEXT"), help=mark("who it is for that provider")),
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
    context: typer.Context,
    name: Name,
    organisation: Annotated[
        str,
        typer.Option("--organisation", metavar=mark("CODE"), help=mark("code of its organisation")),
    ],
    role: Roles = None,
    feed: Feeds = None,
    language: Annotated[
        str, typer.Option("--language", metavar="en|fr", help=mark("the language of its pages"))
    ] = "en",
    password_stdin: FromStdin = False,
    one_time: OneTime = False,
    oidc_issuer: Issuer = "",
    oidc_subject: Subject = "",
) -> None:
    """Add."""
    from pipelines.accounts.people import add_user, check_new

    session = session_of(context)
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
def list_users(context: typer.Context) -> None:
    """List."""
    from pipelines.accounts.people import users

    session = session_of(context)
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
def disable(context: typer.Context, name: Name) -> None:
    """Disable."""
    from pipelines.accounts.people import set_active

    session = session_of(context)
    set_active(session.settings, name, False)
    _tell(session, {"name": name, "state": "disabled"})


@command(
    "enable",
    mark("Let a disabled account sign in again, and unknown devices of an account at once."),
    "passerelle user enable minusca.jma",
)
def enable(context: typer.Context, name: Name) -> None:
    """Enable."""
    from pipelines.accounts.people import set_active

    session = session_of(context)
    set_active(session.settings, name, True)
    _tell(session, {"name": name, "state": "active"})


@command(
    "password",
    mark(
        "Give an account another password; its sessions end at once.\n\n"
        "With --remove-second-factor the codes of a lost telephone are asked for no more."
    ),
    "passerelle user password minusca.jma --one-time",
)
def password(
    context: typer.Context,
    name: Name,
    password_stdin: FromStdin = False,
    one_time: OneTime = False,
    remove_second_factor: Annotated[
        bool,
        typer.Option("--remove-second-factor", help=mark("ask for no code until one is set up")),
    ] = False,
) -> None:
    """Change the password."""
    from pipelines.accounts.people import find_user, set_password
    from pipelines.accounts.totp import remove_totp

    session = session_of(context)
    user = find_user(session.settings, name)
    new = _password(from_stdin=password_stdin, one_time=one_time)
    set_password(session.settings, user.name, new, must_change=one_time)
    if remove_second_factor:
        remove_totp(session.settings, user.name)
    _tell(session, {"name": user.name, "state": "active"}, new if one_time else None)


@command(
    "role",
    mark("Give an account exactly these roles."),
    "passerelle user role minusca.jma --role mission_staff --role analyst",
)
def role(context: typer.Context, name: Name, role: Roles = None) -> None:
    """Change the roles."""
    from pipelines.accounts.people import set_roles

    session = session_of(context)
    set_roles(session.settings, name, role or ())
    _tell(session, {"name": name, "roles": role or []})


@command(
    "feeds",
    mark(
        "Let an account reach exactly these feeds of other organisations.\n\n"
        "A data specialist and oversight work for their own organisation; this grants them feeds "
        "by name beside it, or with --none takes all of them away. What it was is in the ledger."
    ),
    "passerelle user feeds minusca.desk --feed caf_police_incidents",
)
def feeds(
    context: typer.Context,
    name: Name,
    feed: Feeds = None,
    is_none: Annotated[
        bool, typer.Option("--none", help=mark("only what is its organisation's own"))
    ] = False,
) -> None:
    """Change the feeds."""
    from pipelines.accounts.people import set_feeds

    session = session_of(context)
    if bool(feed) == is_none:
        raise CommandError("PSL-238", _("Say which feeds with --feed, or --none."))
    set_feeds(session.settings, name, feed or ())
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

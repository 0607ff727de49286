"""What a person typed wrong, from the parser's exceptions to our own sentences."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import typer

from pipelines.cli.errors import CommandError
from pipelines.cli.words import _, listed


def usage_error(error: BaseException) -> CommandError | None:
    """The coded sentence for an exception of the parser; None for any other exception."""
    if not isinstance(error, typer.TyperException):
        return None
    # The parser's classes are private to typer; their names and attributes are those of click.
    said: Any = error
    match type(error).__name__:
        case "NoSuchOption":
            return _error_at(
                "PSL-204", _("There is no option {name}.", name=said.option_name), said
            )
        case "MissingParameter":
            return _error_at("PSL-205", _("{name} is missing.", name=_parameter(said)), said)
        case "BadParameter":
            return _error_at("PSL-206", _bad_value(said), said)
        case "BadOptionUsage":
            return _error_at("PSL-202", _("{option} needs a value.", option=said.option_name), said)
        case _:
            return _error_at("PSL-201", _("This command was not understood."), said)


def no_such(kind: str, name: str, known: list[str], code: str, hint: str = "") -> CommandError:
    """A name that does not exist, with the nearest one that does. `kind` is a whole sentence."""
    near = get_close_matches(name, known, n=1)
    return CommandError(code, kind, _("Did you mean “{name}”?", name=near[0]) if near else hint)


def require_feed(feed: str) -> None:
    """Raise CommandError with the nearest name for no feed, ContractError for a faulty one."""
    from schemas.feed import UnknownFeedError, feed_names, load_feed

    try:
        load_feed(feed)
    except UnknownFeedError:
        message = _("There is no feed named “{name}”.", name=feed)
        hint = _("See: {command}", command="passerelle feed list")
        raise no_such(message, feed, feed_names(), "PSL-210", hint) from None


def _error_at(code: str, message: str, error: Any) -> CommandError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "passerelle"
    return CommandError(code, message, _("See: {command}", command=f"{path} --help"))


def _parameter(error: Any) -> str:
    parameter = getattr(error, "param", None)
    if parameter is None:
        return str(getattr(error, "param_hint", None) or "?")
    is_argument = parameter.param_type_name == "argument"
    name = str(parameter.human_readable_name)
    return _(name).upper() if is_argument else str(parameter.opts[0])


def _bad_value(error: Any) -> str:
    choices = getattr(getattr(error.param, "type", None), "choices", None)
    if choices:
        options = listed([str(getattr(choice, "value", choice)) for choice in choices])
        return _("{name} must be one of: {options}.", name=_parameter(error), options=options)
    least, most = (getattr(error.param.type, name, None) for name in ("min", "max"))
    if least is not None and most is not None:
        asked = {"name": _parameter(error), "least": least, "most": most}
        return _("{name} must be a number from {least} to {most}.", **asked)
    if least is not None:
        return _("{name} must be a number, {least} or more.", name=_parameter(error), least=least)
    return _("The value of {name} cannot be used.", name=_parameter(error))

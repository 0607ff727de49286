"""What is said where a command fails: any error as one coded sentence, and the exit code."""

from __future__ import annotations

import errno
import sys
import traceback
from typing import Any

import typer

from pipelines.cli.errors import CommandError
from pipelines.cli.extract_output import show_conflict
from pipelines.cli.session import Session
from pipelines.cli.words import _, language, listed
from pipelines.core.errors import coded

# Packages by which fsspec reaches addresses; their errors say nothing about us.
STORES = ("aiobotocore", "aiohttp", "botocore", "paramiko")


def report(error: BaseException, session: Session) -> int:
    """Say what happened in one coded sentence on standard error; returns the exit code."""
    if session.is_debug:
        traceback.print_exception(error, file=sys.stderr)
    stop = coded(error) or _as_stop(error)
    more = _more(error)
    for sentence in stop.said(language()):
        session.complain(*sentence, **more)
    if more:
        _show_conflict(error, session)
    return stop.exit_code


def _more(error: BaseException) -> dict[str, Any]:
    """What a refusal says beside its sentence, for machines."""
    if not (conflict := getattr(error, "conflict", None)):
        return {}
    from pipelines.release.disclosure.conflict_words import as_data

    return {"conflict": as_data(conflict, language())}


def _show_conflict(error: BaseException, session: Session) -> None:
    from pipelines.release.errors import ReleaseError

    if isinstance(error, ReleaseError) and error.conflict:
        show_conflict(session, error.conflict)


def _package(error: ImportError) -> str:
    """Which package is missing; what fsspec raises has the reason as its cause."""
    cause = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    return (cause.name or "").partition(".")[0]


def _out_of_reach(error: OSError) -> CommandError:
    """A place that cannot be read or written; the output itself has no name."""
    hint = _("Check that it exists, that you may use it and that the disk has room; then retry.")
    if error.filename:
        words = _("“{place}” cannot be read or written.", place=error.filename)
    elif error.errno == errno.ENOSPC:
        words = _("There is no room left where the output goes.")
    else:
        words = _("A place cannot be read or written ({kind}).", kind=type(error).__name__)
    return CommandError("PSL-401", words, hint)


def _as_stop(error: BaseException) -> CommandError:
    if stop := _usage_error(error):
        return stop
    if isinstance(error, OSError):
        return _out_of_reach(error)
    if isinstance(error, ImportError) and (package := _package(error)):
        message = _("The Python package “{package}” is needed for this.", package=package)
        hint = _("Install it: {command}", command=f"python -m pip install {package}")
        return CommandError("PSL-407", message, hint)
    if type(error).__module__.partition(".")[0] in STORES:
        message = _("The address cannot be used ({kind}).", kind=type(error).__name__)
        return CommandError(
            "PSL-408", message, _("Check the address and the right to use it; then retry.")
        )
    return CommandError(
        "PSL-501",
        _("Something went wrong inside Passerelle ({kind}).", kind=type(error).__name__),
        _("Nothing half-made was published. Run it again with --debug and send us what it shows."),
    )


def _usage_error(error: BaseException) -> CommandError | None:
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

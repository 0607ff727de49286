"""The options that every command takes, wherever they stand: --home, --lang, --json, --debug."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.cli.errors import CommandError
from pipelines.cli.words import _, use
from pipelines.core.i18n import mark
from pipelines.core.settings import environment_language
from schemas.text import LANGUAGES, Language

WITH_VALUE = ("--home", "--lang")
FLAGS = ("--json", "--debug")
HELP = (
    (mark("--home FOLDER"), mark("where everything is kept; else $PASSERELLE_HOME, else ./var")),
    ("--lang en|fr", mark("language of the messages; else that of $LANG")),
    ("--json", mark("print data for machines instead of text for people")),
    ("--debug", mark("show technical details of an error")),
    ("--help", mark("show this page")),
)


@dataclass(frozen=True)
class CommonOptions:
    """What was said for the whole call."""

    language: Language
    home: str = ""
    is_json: bool = False
    is_debug: bool = False
    is_language_asked: bool = False


def take_common_options(arguments: Sequence[str]) -> tuple[CommonOptions, list[str]]:
    """The common options, and the arguments without them; what follows `--` is left alone.

    Raises CommandError for an option without its value and for a language that we do not speak.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        option, sign, value = word.partition("=")
        if word == "--":
            rest += [word, *waiting]
            break
        if word in FLAGS:
            found[word] = "yes"
        elif option in WITH_VALUE:
            if not sign and (not waiting or waiting[0].startswith("-")):
                raise CommandError("PSL-202", _("{option} needs a value.", option=option))
            found[option] = value if sign else waiting.pop(0)
        else:
            rest.append(word)
    return _options_of(found), rest


def _options_of(found: dict[str, str]) -> CommonOptions:
    given = found.get("--lang", environment_language()).lower()[:2]
    if given not in LANGUAGES:
        use(environment_language())
        raise CommandError(
            "PSL-203", _("Passerelle speaks English and French: --lang en or --lang fr.")
        )
    return CommonOptions(
        language=given,
        home=found.get("--home", ""),
        is_json="--json" in found,
        is_debug="--debug" in found,
        is_language_asked="--lang" in found,
    )

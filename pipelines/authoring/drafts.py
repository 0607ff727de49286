"""Drafts: declared feeds of which the folder is not in order yet, and a sentence about each.

Not here: what may be wrong with a folder (`folder.py`), and running its examples (`check.py`).
"""

from __future__ import annotations

from pipelines.authoring.folder import folder_problems
from pipelines.core.i18n import mark, translator
from schemas.feed import feed_places, load_feed
from schemas.problem import ContractError
from schemas.text import Language

DRAFT = mark(
    "The feed {feed} is a draft and not loaded: {problem} “passerelle feed check {feed}” says all."
)


def drafts(language: Language) -> dict[str, str]:
    """By declared feed that is not in order, a sentence on what is wrong with it first."""
    _ = translator(language)
    found = {}
    for name in feed_places():
        try:
            problems = folder_problems(load_feed(name), _)
        except ContractError as error:
            problems = [one.coded(language) for one in error.problems]
        if problems:
            found[name] = _(DRAFT, feed=name, problem=problems[0])
    return found

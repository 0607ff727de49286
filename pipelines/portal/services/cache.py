"""Answers that stay the same until something new comes in or is published.

Opening the catalogue costs more than most answers, and two hundred people ask the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from pipelines.core.settings import Settings

KEPT = 1000
P = ParamSpec("P")
R = TypeVar("R")


def remembered(
    key: Callable[..., Hashable], most: int = KEPT
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last answers of a function by what `key` makes of its arguments, for any thread.

    Nothing is kept where it raises.
    """
    return cached(LRUCache[Hashable, Any](most), key, Lock())


def while_nothing_changes(
    state: Callable[[Settings], Hashable],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Ask again only where `state` of the settings, the first argument, is another."""

    def key(settings: Settings, *given: Any, **named: Any) -> Hashable:
        plain = (tuple(one) if isinstance(one, list) else one for one in given)
        return hashkey(state(settings), *plain, **named)

    return remembered(key)


def stamp(settings: Settings) -> Hashable:
    """Another value whenever the catalogue is another."""
    try:
        found = settings.catalogue.stat()
    except FileNotFoundError:
        return str(settings.catalogue)
    return (str(settings.catalogue), found.st_mtime_ns, found.st_ino, found.st_size)

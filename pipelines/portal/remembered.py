"""Answers that stay the same until something new comes in or is published.

Not here: the questions (`deliveries.py`, `feed_figures.py`, `looking.py`). Opening the catalogue
costs more than most answers, and two hundred people ask the same ones.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from pipelines.settings import Settings

KEPT = 1000
P = ParamSpec("P")
R = TypeVar("R")


class Remembered:
    """The last answers, up to a number of them; for any thread."""

    def __init__(self, most: int) -> None:
        """Remember nothing yet."""
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._guard = threading.Lock()

    def kept(self, key: Hashable, answer: Callable[[], R]) -> R:
        """The answer for this key: the one that was given before, or a new one.

        Nothing is kept where `answer` raises.
        """
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast("R", self._kept[key])
        found = answer()
        with self._guard:
            self._kept[key] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


ANSWERS = Remembered(KEPT)


def while_nothing_changes(
    state: Callable[[Settings], Hashable],
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Ask again only where `state` of the settings, the first argument, is another."""

    def keep(question: Callable[P, R]) -> Callable[P, R]:
        @wraps(question)
        def answered(*args: P.args, **kwargs: P.kwargs) -> R:
            settings = cast("Settings", args[0])
            given = [*args[1:], *(part for pair in sorted(kwargs.items()) for part in pair)]
            more = tuple(tuple(one) if isinstance(one, list) else one for one in given)
            key = (question.__qualname__, state(settings), more)
            return ANSWERS.kept(key, lambda: question(*args, **kwargs))

        return answered

    return keep


def stamp(settings: Settings) -> Hashable:
    """Another value whenever the catalogue is another."""
    try:
        found = settings.catalogue.stat()
    except FileNotFoundError:
        return str(settings.catalogue)
    return (str(settings.catalogue), found.st_mtime_ns, found.st_ino, found.st_size)

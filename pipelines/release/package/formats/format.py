"""What is said of a format of extracts: its name, its words, what it holds, how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pipelines.release.errors import ReleaseError
from pipelines.release.package.formats.content import Content


@dataclass(frozen=True)
class Format:
    """A format of extracts; `name` is what people ask for, and the ending of the file.

    `label` and `reading` are marked sentences: what it is in a list of choices, and how its file is
    read. `write` raises ReleaseError where the format cannot hold a value. `extra` is the extra of
    Passerelle that brings `needs`, a package; both empty where nothing more is needed.
    """

    name: str
    label: str
    reading: str
    write: Callable[[Content, Path], None]
    has_geometry: bool = False
    is_compressed: bool = False
    most_rows: int | None = None
    extra: str = ""
    needs: str = ""

    @property
    def is_installed(self) -> bool:
        """True where this installation has what writes it."""
        return not self.needs or find_spec(self.needs) is not None

    def require_room(self, row_count: int) -> None:
        """Raise ReleaseError for more rows than the format holds."""
        if self.most_rows is not None and row_count > self.most_rows:
            raise ReleaseError("REL-109", rows=row_count, format=self.name, limit=self.most_rows)

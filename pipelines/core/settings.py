"""Where things are and how much of the machine may be used, from the environment.

Not here: anything declared about data (`schemas`) or about one delivery.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from upath import UPath

from pipelines.core.i18n import mark
from pipelines.core.ownership import close_home, group_id, keep_private
from schemas.text import FOLDER, Language

PROGRAM_VERSION = version("passerelle")
DEFAULT_MEMORY_LIMIT = "1GB"
SHIPPED_AGREEMENTS = FOLDER / "agreements"
DEFAULT_LARGEST_DELIVERY_BYTES = 8 * 1024**3


@dataclass(frozen=True)
class Settings:
    """The places and limits of one installation; a place may be a URL where its type says so."""

    home: Path
    inbox: UPath
    landing: UPath
    lake: str
    agreements: Path = SHIPPED_AGREEMENTS
    database: str = ""
    memory_limit: str = DEFAULT_MEMORY_LIMIT
    threads: int = 0
    largest_delivery_bytes: int = DEFAULT_LARGEST_DELIVERY_BYTES
    language: Language = "en"
    readers: str = ""

    @property
    def catalogue(self) -> Path:
        """The DuckDB file that analysts open; always local, replaced whole."""
        return self.home / "catalog.duckdb"

    @property
    def scratch(self) -> Path:
        """Spill and half-made files; may be emptied whenever nothing runs."""
        return self.home / "scratch"

    @property
    def reference(self) -> Path:
        """Gazetteers loaded from their publishers' files."""
        return self.home / "reference"

    @property
    def data_docs(self) -> Path:
        """The pages that Great Expectations writes about each audit."""
        return self.home / "data_docs"

    @property
    def secrets(self) -> Path:
        """Keys of this installation; never inside the repository, never in a lake."""
        return self.home / "secrets"

    @property
    def database_url(self) -> str:
        """Where the ledger, the accounts and the jobs of the portal are, for SQLAlchemy."""
        return self.database or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def releases(self) -> Path:
        """Finished extracts and the public key that proves them; what may be handed on."""
        return self.home / "releases"

    @property
    def release_records(self) -> Path:
        """Which records each extract held; read by oversight, never handed on."""
        return self.home / "release_records"

    @property
    def release_groups(self) -> Path:
        """Which records of a clause are told alike; private, and kept as long as the clause."""
        return self.home / "release_groups"

    @property
    def uploads(self) -> Path:
        """Files on their way in through the portal; half-taken ones are swept."""
        return self.home / "uploads"

    @property
    def is_lake_local(self) -> bool:
        """True where the lake is a folder of this machine, so that we must sync it ourselves."""
        return "://" not in self.lake

    def prepare(self) -> Settings:
        """Make the local folders, for their owner alone; returns itself.

        What an older version left open to others is closed, and this process leaves nothing open.
        """
        keep_private()
        for folder in (self.home, self.scratch, self.secrets):
            folder.mkdir(parents=True, exist_ok=True)
        close_home(self)
        return self


class SettingError(ValueError):
    """A variable whose value cannot be used; `needed` is a marked sentence without its subject."""

    def __init__(self, name: str, needed: str) -> None:
        """Keep both; the value itself is not repeated, as it may be a key."""
        super().__init__(f"PASSERELLE_{name} {needed}")
        self.variable, self.needed = f"PASSERELLE_{name}", needed


def truth(variable: str, *, default: bool) -> bool:
    """True where a variable says yes; `default` where it is not set.

    Raises SettingError for any other word: a slip of the pen must not open what was to be closed.
    """
    word = os.environ.get(variable, "").strip().lower()
    if word and word not in _TRUTHS:
        raise SettingError(variable.removeprefix("PASSERELLE_"), mark("must be yes or no"))
    return _TRUTHS.get(word, default)


def settings_for(home: str | Path, **changes: object) -> Settings:
    """Settings of an installation that keeps everything under one folder.

    Raises SettingError for an address: the home is of this machine, unlike the places in it.
    """
    if "://" in str(home):
        raise SettingError("HOME", mark("must be a local folder"))
    root = Path(home).expanduser().resolve()
    places: dict[str, object] = {
        "home": root,
        "inbox": UPath(root / "inbox"),
        "landing": UPath(root / "landing"),
        "lake": str(root / "lake"),
    }
    return Settings(**{**places, **changes})  # type: ignore[arg-type]


def current_settings() -> Settings:
    """Settings from `PASSERELLE_*`; the table of them is in docs/settings.md.

    Raises SettingError where a number is not a number, or the token key is no key.
    """
    if (key := os.environ.get("PASSERELLE_TOKEN_KEY")) and not _KEY.fullmatch(key):
        raise SettingError("TOKEN_KEY", mark("must be 64 hexadecimal digits"))
    changes: dict[str, object] = {"language": environment_language()}
    for name, read in _VARIABLES.items():
        if value := os.environ.get(f"PASSERELLE_{name.upper()}"):
            try:
                changes[name] = read(value)
            except ValueError as error:
                needed = error.args[0] if isinstance(error, _NeedError) else UNUSABLE
                raise SettingError(name.upper(), needed) from None
    return settings_for(os.environ.get("PASSERELLE_HOME", "var"), **changes)


# Looked at before any delivery is: the fault of a key would else be found in every one of them.
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_MEMORY = re.compile(r"\s*\d+(\.\d+)?\s*[KMGT]i?B\s*", re.IGNORECASE)
_TRUTHS = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(
    ("no", "false", "off", "0"), False
)
UNUSABLE = mark("cannot be used")


class _NeedError(ValueError):
    """What a value must be, as a marked sentence."""


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise _NeedError(mark("must be a size, such as 4GB"))
    return text


def _lake(text: str) -> str:
    if "://" not in text:
        return str(Path(text).resolve())
    UPath(text)  # ValueError for a kind of address that nobody knows
    return text


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise _NeedError(mark("must be a whole number, 0 or more"))
    return int(text)


def _group(text: str) -> str:
    try:
        group_id(text)
    except (ValueError, ImportError):
        raise _NeedError(
            mark("must be a group of this machine that the account of Passerelle belongs to")
        ) from None
    return text


_VARIABLES: dict[str, Callable[[str], object]] = {
    "inbox": UPath,
    "landing": UPath,
    "lake": _lake,
    "agreements": lambda text: Path(text).expanduser().resolve(),
    "database": str,
    "memory_limit": _memory,
    "threads": _count,
    "largest_delivery_bytes": _count,
    "readers": _group,
}


def environment_language() -> Language:
    """`PASSERELLE_LANG`, else the first of the usual variables that is set; English otherwise."""
    for variable in ("PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def free_bytes(settings: Settings) -> int:
    """Room left where the home is, in bytes."""
    return shutil.disk_usage(settings.home).free

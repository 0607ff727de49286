"""The installation that is loaded: the demonstration, a large delivery, its extract, the accounts.

Not here: the load. Everything went through the pipeline as it would anywhere: the delivery was
judged and published, the extract is made by a clause of an agreement, the passwords are hashed as
everybody's are.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pipelines.accounts.people import add_user
from pipelines.core.settings import SHIPPED_AGREEMENTS, Settings, settings_for
from pipelines.ledger.database import dispose

PASSWORD = "a footbridge over the river"  # noqa: S105  (of accounts that live for one run)
READY = "load.ready"
AGREEMENT = "load_test"
DEMO_SCALE = 0.2
# Who sits before the browsers: role, organisation, and how many of each hundred.
DESKS = (
    ("mission_staff", "minusca_unpol", 20),
    ("mission_staff", "monusco_unpol", 15),
    ("mission_staff", "unmiss_unpol", 10),
    ("provider", "caf_police", 15),
    ("provider", "ssd_ssnps", 10),
    ("data_specialist", "minusca_unpol", 10),
    ("analyst", "minusca_unpol", 10),
    ("oversight", "minusca_unpol", 10),
)
COLLEAGUES = ("mission_staff", "minusca_unpol_jma")  # those who download: one organisation
AT_ONCE = 4
ROWS = 4_500_000


@dataclass(frozen=True)
class Account:
    """Somebody who signs in."""

    name: str
    role: str
    organisation: str


Say = Callable[[str], None]


def people(count: int) -> list[Account]:
    """`count` accounts, their roles in turns, so that any first part of them is a fair mix."""
    turns = [desk for desk in DESKS for _ in range(desk[2] // 5)]
    turns = turns[::3] + turns[1::3] + turns[2::3]
    chosen = [turns[number % len(turns)] for number in range(count)]
    return [Account(f"desk.{n:03}", role, place) for n, (role, place, _) in enumerate(chosen)]


def downloaders(count: int) -> list[Account]:
    """`count` colleagues, any of whom may fetch what one of them asked for."""
    return [Account(f"field.{number:03}", *COLLEAGUES) for number in range(count)]


def make_home(home: Path, rows: int, accounts: list[Account], say: Say) -> Settings:
    """The installation in `home`, made unless it is there already."""
    settings = settings_for(home, agreements=home / "agreements")
    told = home / READY
    state = f"{rows} {hashlib.sha256(repr(accounts).encode()).hexdigest()}"
    if told.exists() and told.read_text(encoding="utf-8") == state:
        return settings
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    say("making the demonstration")
    line = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "demo"]
    subprocess.run([*line, "--scale", str(DEMO_SCALE)], check=True, stdout=subprocess.DEVNULL)
    _write_agreements(settings)
    say(f"judging and publishing a delivery of {rows:,} rows")
    line = [sys.executable, "-m", "benchmarks.load.deliver", str(home), str(rows)]
    subprocess.run(line, check=True, cwd=Path(__file__).parents[2])
    say(f"adding {len(accounts)} accounts")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: _add(settings, one), accounts))
    dispose(settings)
    told.write_text(state, encoding="utf-8")
    return settings


def _add(settings: Settings, account: Account) -> None:
    place, roles = account.organisation, [account.role]
    add_user(settings, account.name, organisation=place, roles=roles, password=PASSWORD)


def _write_agreements(settings: Settings) -> None:
    """The shipped agreements, and one that lets the whole delivery out."""
    shutil.copytree(SHIPPED_AGREEMENTS, settings.agreements)
    own = Path(__file__).parent / f"{AGREEMENT}.yaml"
    shutil.copy(own, settings.agreements)

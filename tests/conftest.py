"""What all tests share: `tests/` is importable, and one home with the demo taken in and published.

Not here: fixtures of one stage; they stand beside its tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from pipelines.core.settings import Settings, settings_for

DEMO = ("demo", "--every-rule", "--scale", "0.2")

# In CI the same cases every time: new ones are looked for at a desk, where somebody can mend them.
hypothesis_settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis_settings.load_profile("ci")


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with the demo in it, made once by the command line as a person would; only read it."""
    home = tmp_path_factory.mktemp("demo_home")
    passerelle(*DEMO, home=home)
    return settings_for(home)


def passerelle(
    *arguments: str, home: Path, language: str = "en", check: bool = True, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, in a process of its own and away from the repository."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *arguments],
        env={
            **environment,
            **{"PASSERELLE_HOME": str(home), "LANG": language, "LC_ALL": language},
            "COLUMNS": "110",  # as where there is no terminal, whatever runs the tests
        },
        cwd=home,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"{arguments} gave {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done

"""Look for cases that break a property: random ones, for a bounded time; what is found is kept.

CI tries the same cases every time, so that it says the same of the same tree; new cases are looked
for here: `make search`, or `python -m tests.search --seconds 3600`. What breaks a property is
written above it as an `@example`, which CI then tries for ever.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

PATCHES = Path(".hypothesis/patches")
# Its plugin empties the values of the cases that Hypothesis prints, and so of those it keeps.
WITHOUT = ("-p", "no:schemathesis", "--ignore=tests/property/test_api_schemathesis.py")


def search(seconds: float, selection: list[str]) -> int:
    """Rounds of every property until the time is over; 1 where a round found something."""
    end = time.monotonic() + seconds
    rounds = 0
    while (left := end - time.monotonic()) > 0:
        seed = secrets.randbits(32)
        print(f"Round {rounds + 1}: seed {seed}, {left:.0f} s left", flush=True)
        shutil.rmtree(PATCHES, ignore_errors=True)
        command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", *WITHOUT]
        command += ["-n", "auto", f"--hypothesis-seed={seed}", *(selection or ["tests"])]
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        try:
            done = subprocess.run(
                command, env=environment, timeout=left, capture_output=True, text=True, check=False
            )
        except subprocess.TimeoutExpired:
            break
        if done.returncode:
            print(done.stdout + done.stderr)
            keep_examples()
            return 1
        rounds += 1
    print(f"{rounds} whole rounds found nothing.")
    return 0


def keep_examples() -> None:
    """Write what was found above the properties that it breaks, where Hypothesis made a patch."""
    for patch in sorted(PATCHES.glob("*.patch")):
        # Hypothesis looks the name `datetime` up in the module of that name, whatever we call it.
        written = re.sub(r"\bdt\.datetime\.(?=\w+\()", "dt.", patch.read_text("utf-8"))
        patch.write_text(written, "utf-8")
        kept = subprocess.run(["git", "apply", str(patch)], check=False).returncode == 0
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", "tests"], check=False)
        print(f"{'Kept above the properties' if kept else 'To be applied by hand'}: {patch}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("selection", nargs="*", help="files or folders of tests")
    arguments = parser.parse_args()
    sys.exit(search(arguments.seconds, arguments.selection))

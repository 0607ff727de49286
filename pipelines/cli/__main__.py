"""`python -m pipelines.cli …`: the same as `passerelle …`."""

from __future__ import annotations

import sys

from pipelines.cli import main

if __name__ == "__main__":  # worker processes import this module again
    sys.exit(main())

"""Commands of upkeep: `lake compact|vacuum|check`, `reference load`.

Not here: what they do (`pipelines/lake/upkeep.py`, `pipelines/landing/reference.py`).
"""

from __future__ import annotations



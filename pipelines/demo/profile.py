"""What goes wrong at a feed in real life: a few mistakes, most of them at one post.

Not here: how a mistake is made (the modules of defects), and the shares (`profiles.yaml`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.demo.delivery import Defect

WEAK_POST_TIMES = 8.0  # as many mistakes as elsewhere, row for row


@dataclass(frozen=True)
class Profile:
    """The mistakes of a feed: percent of its rows by rule, and its weak post as column and text."""

    percent: Mapping[str, float]
    weak_post: tuple[str, str] | None = None

    def select(self, defects: Sequence[Defect]) -> list[Defect]:
        """The defects that raise these rules, each of its share, in the order given.

        Raises KeyError for a rule that none of `defects` raises by itself.
        """
        first = {defect.codes: defect for defect in reversed(defects)}
        shares = {first[(code,)].codes: percent / 100 for code, percent in self.percent.items()}
        kept = [one for one in defects if one is first[one.codes] and one.codes in shares]
        return [replace(one, share=shares[one.codes]) for one in kept]

    def weights(self, cells: pd.DataFrame) -> Any:
        """How much more readily than another each row is spoiled, as an array of the rows."""
        import numpy as np

        if self.weak_post is None:
            return np.ones(len(cells))
        column, text = self.weak_post
        return np.where(cells[column] == text, WEAK_POST_TIMES, 1.0)


@cache
def load_profile(feed: str) -> Profile:
    """The profile of a feed. Raises KeyError for a feed that has none."""
    from pipelines.demo.world import HERE

    declared = yaml.safe_load((HERE / "profiles.yaml").read_text("utf-8"))[feed]
    post = declared.get("weak_post")
    return Profile(declared["rules"], next(iter(post.items())) if post else None)

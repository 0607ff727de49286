"""The marking of an extract is the strictest of its rows, in both languages, and for somebody."""

from __future__ import annotations

import pytest

from pipelines.release.policy.marking import cleared, levels, strictest
from schemas.text import Bilingual

MISSION = Bilingual(en="The mission", fr="La mission")


@pytest.mark.parametrize(
    ("codes", "level"),
    [
        (["UNCLASSIFIED"], "UNCLASSIFIED"),
        (["UNCLASSIFIED", "CONFIDENTIAL", "UNCLASSIFIED"], "CONFIDENTIAL"),
        (["CONFIDENTIAL", "STRICTLY_CONFIDENTIAL"], "STRICTLY_CONFIDENTIAL"),
        (["UNCLASSIFIED", None], "STRICTLY_CONFIDENTIAL"),
        (["UNCLASSIFIED", "no such level"], "STRICTLY_CONFIDENTIAL"),
        ([], "STRICTLY_CONFIDENTIAL"),
    ],
)
def test_the_strictest_counts_and_what_is_not_known_is_the_strictest(codes, level):
    assert strictest(codes).level == level


def test_it_is_said_in_the_language_and_for_whom():
    marking = levels()["CONFIDENTIAL"]
    assert marking.line(MISSION, "en") == "CONFIDENTIAL (TLP:AMBER) – for The mission only"
    assert marking.line(MISSION, "fr") == "CONFIDENTIEL (TLP:AMBER) – réservé à La mission"
    assert cleared().line(None, "en") == "UNCLASSIFIED (TLP:CLEAR)"

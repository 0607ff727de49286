"""Spoiling rows: each bad row breaks what it should, right rows stay right, the truth knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.demo.delivery import (
    Defect,
    Draft,
    cell,
    duplicated_number,
    finish,
    repeat_rows,
    spoil,
)


def draft(size: int = 100) -> Draft:
    numbers = [f"N{i}" for i in range(size)]
    cells = pd.DataFrame({"No": numbers, "Date": "01/05/2026", "Place": "Bangui"})
    truth = pd.DataFrame({"source_record_id": numbers, "event_id": numbers, "is_withdrawn": False})
    return Draft(cells, truth)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_a_defect_spoils_its_share_and_nothing_else() -> None:
    spoiled = spoil(draft(), [Defect(("INC-201",), cell("Date", "x"), share=0.05)], rng())
    is_bad = spoiled.truth["rule_codes"].str.len() > 0
    assert is_bad.sum() == 5
    assert (spoiled.cells.loc[is_bad, "Date"] == "x").all()
    assert (spoiled.cells.loc[~is_bad, "Date"] == "01/05/2026").all()


def test_a_row_is_spoiled_once() -> None:
    defects = [Defect((f"INC-{n}",), cell("Date", "x"), share=0.1) for n in (201, 203, 303)]
    truth = spoil(draft(), defects, rng()).truth
    assert truth["rule_codes"].str.len().max() == 1
    assert truth["rule_codes"].explode().value_counts().to_dict() == {
        "INC-201": 10,
        "INC-203": 10,
        "INC-303": 10,
    }


def test_no_row_that_can_be_spoiled_is_an_error() -> None:
    never = Defect(("INC-201",), cell("Date", "x"), needs=lambda d: d.truth["event_id"] == "?")
    with pytest.raises(ValueError, match="INC-201"):
        spoil(draft(), [never], rng())
    spoil(draft(), [never], rng(), is_each_present=False)


def test_rows_kept_right_and_withdrawals_are_left_alone() -> None:
    given = draft(10)
    given.truth["is_kept_right"] = [True] * 5 + [False] * 5
    given.truth.loc[5:7, "is_withdrawn"] = True
    truth = spoil(given, [Defect(("INC-201",), cell("Date", "x"), share=1)], rng()).truth
    assert truth.index[truth["rule_codes"].str.len() > 0].tolist() == [8, 9]


def test_repeats_follow_their_original_letter_for_letter() -> None:
    repeated = repeat_rows(draft(), rng(), share=0.03)
    places = repeated.truth.index[repeated.truth["is_repeat"]]
    assert len(places) == 3
    for place in places:
        assert repeated.cells.loc[place].equals(repeated.cells.loc[place - 1])


def test_pairs_share_a_number_in_cells_and_truth() -> None:
    defect = Defect(("INC-601",), duplicated_number(["No"]), together=2, share=0.1)
    spoiled = spoil(draft(), [defect], rng())
    bad = spoiled.truth[spoiled.truth["rule_codes"].str.len() > 0]
    assert len(bad) == 10
    assert bad["source_record_id"].nunique() == 5
    assert spoiled.cells.loc[bad.index, "No"].tolist() == bad["source_record_id"].tolist()


def test_the_verdict_follows_the_severity_of_the_codes() -> None:
    given = draft(4)
    given.truth["rule_codes"] = [(), ("INC-201",), ("INC-406",), ("INC-201", "INC-406")]
    truth = finish(given, range(2, 6))
    assert truth["verdict"].tolist() == ["accepted", "quarantined", "accepted", "quarantined"]
    assert truth["source_row"].tolist() == [2, 3, 4, 5]

"""Faults in a delivery: each bad row breaks what it should, right rows stay right, all is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipelines.demo.delivery import Draft, repeated
from pipelines.demo.faults import Fault
from pipelines.demo.generator import FeedGenerator
from pipelines.demo.world import build_world


@pytest.fixture(scope="module")
def generator() -> FeedGenerator:
    return FeedGenerator("dpo_capability_pledges")


@pytest.fixture(scope="module")
def records(generator: FeedGenerator) -> pd.DataFrame:
    return generator.records(build_world(scale=0.4))[:100]


@pytest.fixture
def draft(generator: FeedGenerator, records: pd.DataFrame) -> Draft:
    return Draft(generator.writer, records)


def unread(rule: str, share: float = 0.05) -> Fault:
    return Fault(texts={"state_on": ["x"]}, rule=rule, share=share)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_a_fault_is_in_its_share_of_the_rows_and_nothing_else_changes(draft: Draft) -> None:
    right = draft.cells()
    draft.inject([unread("PLE-211")], rng(), is_weighted=False)
    is_bad = draft.codes.str.len() > 0
    cells = draft.cells()
    assert is_bad.sum() == 5
    assert (cells.loc[is_bad, "state.since"] == "x").all()
    pd.testing.assert_frame_equal(cells[~is_bad], right[~is_bad])


def test_a_row_has_one_fault(draft: Draft) -> None:
    faults = [unread(f"PLE-{number}", 0.1) for number in (210, 211, 212)]
    draft.inject(faults, rng(), is_weighted=False)
    assert draft.codes.str.len().max() == 1
    assert set(draft.codes.explode().value_counts()) == {10}


def test_the_value_of_a_fault_is_in_cells_and_truth(draft: Draft) -> None:
    fault = Fault("units_count > 1", {"units_count": "units_count + 200"}, rule="PLE-411", share=1)
    before = draft.records["units_count"].copy()
    draft.inject([fault], rng())
    is_bad = draft.codes.str.len() > 0
    assert is_bad.tolist() == (before.fillna(0) > 1).tolist()
    cells, meant = draft.cells(), (before + 200)[is_bad].astype(int)
    assert cells.loc[is_bad, "capability.units_pledged"].tolist() == meant.tolist()
    assert draft.truth(cells).loc[is_bad, "units_count"].astype(int).tolist() == meant.tolist()


def test_no_row_for_a_fault_is_an_error_where_each_is_asked_for(
    generator: FeedGenerator, records: pd.DataFrame
) -> None:
    few = records[:20]
    never = Fault("capability_kind = '?'", {"units_count": "1"}, rule="PLE-411")
    with pytest.raises(ValueError, match="PLE-411"):
        Draft(generator.writer, few).inject([never], rng(), is_each_present=True)
    Draft(generator.writer, few).inject([never], rng())


def test_a_kind_of_record_that_is_never_sent_is_no_error(draft: Draft) -> None:
    never = Fault("capability_kind = '?'", {"units_count": "1"}, rule="PLE-411")
    draft.inject([never], rng(), is_each_present=True)


def test_fixed_rows_and_withdrawals_have_no_fault(
    generator: FeedGenerator, records: pd.DataFrame
) -> None:
    given = records[:10].assign(is_withdrawn=[False] * 5 + [True] * 3 + [False] * 2)
    draft = Draft(generator.writer, given, [True] * 5 + [False] * 5)
    draft.inject([unread("PLE-211", 1)], rng())
    assert draft.codes.index[draft.codes.str.len() > 0].tolist() == [8, 9]


def test_repeats_follow_their_original_letter_for_letter(draft: Draft) -> None:
    cells = draft.cells()
    again, truth = repeated(cells, draft.truth(cells), draft.is_right(), rng())
    [place] = truth.index[truth["verdict"] == "duplicate"]
    assert again.loc[place].equals(again.loc[place - 1])
    assert truth["verdict"][place - 1] == "accepted"


def test_pairs_share_a_number_in_cells_and_truth(draft: Draft) -> None:
    draft.inject([Fault(copies="number", rule="PLE-601", share=0.1)], rng(), is_weighted=False)
    cells = draft.cells()
    bad = draft.truth(cells)[draft.codes.str.len() > 0]
    assert len(bad) == 10
    assert bad["source_record_id"].nunique() == 5
    assert cells.loc[bad.index, "pledge.number"].tolist() == bad["source_record_id"].tolist()


def test_pairs_tell_the_same_under_two_numbers(draft: Draft) -> None:
    draft.inject([Fault(copies="content", rule="PLE-603", share=0.02)], rng(), is_weighted=False)
    pair = draft.cells()[draft.codes.str.len() > 0]
    assert len(pair) == 2
    assert pair["pledge.number"].nunique() == 2
    assert len(pair.drop(columns="pledge.number").drop_duplicates()) == 1


def test_the_verdict_follows_the_severity_of_the_codes(draft: Draft) -> None:
    draft.codes[1], draft.codes[2] = ("PLE-210",), ("PLE-118",)
    draft.codes[3] = ("PLE-118", "PLE-210")
    verdicts = draft.truth(draft.cells())["verdict"]
    assert verdicts[:4].tolist() == ["accepted", "quarantined", "accepted", "quarantined"]

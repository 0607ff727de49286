"""Two extracts of counts must not tell together what each of them hides.

Not here: one extract by itself (`test_counting.py`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipelines.release.disclosure import deduction
from pipelines.release.disclosure.differencing import (
    TooManySumsError,
    telling_extracts,
    tells_more,
)
from pipelines.release.query.cells import CELLS_SCHEMA
from tests.unit.release.world import Counts, agreement, ask, counts, rows

DAY = dt.datetime(2026, 5, 13, 12)
AREA = {"admin1_code": "CF11"}


def many(*groups: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return rows(*(change for size, change in groups for _one in range(size)))


HELD = many(
    (20, {}),
    (3, {"offence_code": "0101"}),
    (9, {"offence_code": "0201"}),
    (12, {"admin1_code": "CF11"}),
)


def extract(held: list[dict[str, Any]] = HELD, **asked: Any) -> Any:
    signed = [agreement([counts()])]
    return Counts(held, signed, ask(form="counts", **{"dimensions": ("country",), **asked})).cells


def weighed(*cells: dict[int, int], threshold: int = 5) -> pa.Table:
    """The private record of counts of people without totals: of each cell record → people."""
    size = len(cells)
    people = [sum(one.values()) for one in cells]
    return pa.table(
        {
            "node": [f"cell {at}" for at in range(size)],
            "is_published": [one >= threshold for one in people],
            "is_primary": [one < threshold for one in people],
            "threshold": [threshold] * size,
            "measures": [[]] * size,
            "parts": [[at] for at in range(size)],
            "records": [list(one) for one in cells],
            "weights": [list(one.values()) for one in cells],
        },
        schema=CELLS_SCHEMA,
    )


def telling(new: Any, *earlier: Any) -> tuple[str, ...]:
    return telling_extracts(new, {f"x{at}": one for at, one in enumerate(earlier)})


def is_refused(new: Any, *earlier: Any) -> bool:
    return bool(telling(new, *earlier))


def test_the_same_again_is_no_new_knowledge() -> None:
    assert not is_refused(extract(), extract())
    assert not is_refused(extract())


def test_subtracting_a_smaller_extract_from_a_larger_is_refused() -> None:
    """44 incidents, and 41 that are not homicides: the difference is three."""
    without = extract([row for row in HELD if row["offence_code"] != "0101"])
    assert is_refused(extract(), without)
    assert is_refused(without, extract()), "in either order"


def test_a_difference_of_enough_records_is_not() -> None:
    without = extract([row for row in HELD if row["offence_code"] != "0201"])
    assert not is_refused(extract(), without)


def test_a_choice_that_leaves_a_few_out_is_refused() -> None:
    whole = extract(dimensions=("country",))
    narrow = extract(offences=("02", "05"))
    assert is_refused(narrow, whole)


def test_other_groupings_of_the_same_records_are_solved_together() -> None:
    """Each is safe alone; the cell that the one hides follows from what both show."""
    held = many(
        (3, {"admin1_code": "CF11", "offence_code": "0101"}),
        (20, {"admin1_code": "CF11", "offence_code": "0201"}),
        (9, {"admin1_code": "CF71", "offence_code": "0101"}),
        (30, {"admin1_code": "CF71", "offence_code": "0201"}),
    )
    both = extract(held, dimensions=("admin1_code", "offence_section"))
    assert sum(both["is_primary"].to_pylist()) == 1
    one = extract(held, dimensions=("offence_section",), areas=("CF71",))
    assert is_refused(one, both)
    assert is_refused(both, one)
    assert not is_refused(extract(held, dimensions=("admin1_code",)), both)


def test_three_extracts_together() -> None:
    """No two of them tell it; a − b − c does."""
    held = many((30, {"offence_code": "0101"}), (20, {"offence_code": "0201"}), (3, {}))
    parts = [extract(held, offences=("01",)), extract(held, offences=("02",))]
    hidden = extract(held, offences=("05",))
    assert not is_refused(parts[1], parts[0], hidden)
    assert is_refused(extract(held), *parts, hidden)


def test_three_extracts_tell_a_group_that_none_of_them_counted() -> None:
    """The whole, less one area, less another: what is left is three, and nobody asked for them."""
    held = many((30, {"offence_code": "0101"}), (20, {"offence_code": "0201"}), (2, {}), (1, AREA))
    parts = [extract(held, offences=("01",)), extract(held, offences=("02",))]
    assert is_refused(extract(held), *parts)
    assert is_refused(extract(held, dimensions=("admin1_code",)), *parts)
    assert is_refused(parts[0], parts[1], extract(held)), "in any order"
    enough = many((30, {"offence_code": "0101"}), (20, {"offence_code": "0201"}), (5, {}))
    parts = [extract(enough, offences=("01",)), extract(enough, offences=("02",))]
    assert not is_refused(extract(enough), *parts)


def test_what_another_clause_may_tell_is_no_secret() -> None:
    held = many((30, {"offence_code": "0101"}), (4, {"offence_code": "0201"}), (12, AREA))
    low = [agreement([counts(small_cell_threshold=3)])]
    told = Counts(held, low, ask(form="counts", dimensions=("offence_section",))).cells
    assert not is_refused(extract(held, areas=("CF11",)), told)


def test_the_records_of_a_cell_do_not_tell_a_sum_that_few_of_them_make_up() -> None:
    """Counts of records first, then of victims by the same areas: nothing of the one is hidden."""
    hurt = {"victims_total": 3}
    held = many((20, {}), (12, AREA), (2, {**AREA, **hurt}), (9, hurt))
    plain = extract(held, dimensions=("admin1_code",))
    both = extract(held, dimensions=("admin1_code",), measures=("records", "victims_total"))
    assert both["is_primary"].to_pylist().count(True) == 1
    assert not is_refused(both, plain)
    assert not is_refused(plain, both)
    whole = extract(held, measures=("victims_total",))
    part = extract(held, measures=("victims_total",), areas=("CF71",))
    assert is_refused(part, both), "the whole less one area is the sum of the other"
    assert is_refused(both, part)
    assert not is_refused(whole, both)
    assert not is_refused(part, whole), "nobody asked for the other area's sum"
    assert not is_refused(whole, both, part), "what these two tell already is no news"


def test_a_late_record_tells_itself() -> None:
    late = rows({"source_record_id": "late", "occurred_at": DAY})
    assert is_refused(extract([*HELD, *late]), extract())


def test_records_of_other_places_do_not_meet() -> None:
    assert not is_refused(extract(areas=("CF11",)), extract(areas=("CF71",)))


def test_what_is_too_much_to_check_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    held = many((9, {"admin1_code": "CF11", "offence_code": "0101"}), (9, AREA), (9, {}))
    both = extract(held, dimensions=("admin1_code",))
    other = extract(held, dimensions=("offence_section",))
    assert not is_refused(other, both)
    monkeypatch.setattr(deduction, "MOST_WORK", 0)
    with pytest.raises(TooManySumsError):
        telling(other, both)
    assert not is_refused(extract(), extract())


@pytest.mark.parametrize(
    ("thresholds", "is_small"), [((10, 5), True), ((5, 10), True), ((5, 5), False)]
)
def test_the_difference_of_two_numbers_is_found_whatever_cuts_it(
    thresholds: tuple[int, int], is_small: bool
) -> None:
    """Six people, each in another earlier extract too: more atoms than sets are gone through."""
    few, crowd = dict.fromkeys(range(6), 1), dict.fromkeys(range(100, 130), 1)
    whole = weighed({**few, **crowd}, threshold=thresholds[0])
    part = weighed(crowd, threshold=thresholds[1])
    cuts = [weighed({n: 1, **{1000 + 100 * n + at: 1 for at in range(20)}}) for n in few]
    assert is_refused(whole, part, *cuts) == is_small
    assert is_refused(part, whole, *cuts) == is_small


def test_a_correction_of_how_many_people_a_record_stands_for_is_no_difference() -> None:
    """It stood for three and stands for nine: that nine were left out before tells of nobody."""
    before, part, whole = weighed({1: 3, 3: 20}), weighed({2: 20}), weighed({1: 9, 2: 20})
    assert not is_refused(whole, part, before)
    assert not is_refused(before, part, whole)
    assert is_refused(weighed({1: 3, 2: 20}), part, before)


def test_an_extract_that_shares_nothing_with_the_new_one_tells_by_those_between() -> None:
    """What the first hides follows from the third, which meets it only in the second."""
    first, third = weighed({1: 3, 2: 30}), weighed({3: 30})
    between = weighed({2: 30, 3: 30})
    assert not is_refused(first, between)
    assert not is_refused(first, third)
    assert is_refused(first, between, third)


def test_a_cell_that_is_hidden_for_its_sum_is_no_secret_of_people() -> None:
    """Six incidents, two of them with victims: ten beside a total of sixteen tell the six alone."""
    six, ten = list(range(1, 7)), list(range(7, 17))
    new = pa.table(
        {
            "node": ["six", "ten", "total"],
            "is_published": [False, False, True],
            "is_primary": [True, False, False],
            "threshold": [5] * 3,
            "measures": [["victims_total"]] * 3,
            "parts": [[0], [1], [0, 1]],
            "records": [six, ten, []],
            "weights": [[1] * 6, [1] * 10, []],
        },
        schema=CELLS_SCHEMA,
    )
    earlier = weighed(dict.fromkeys(ten, 1))
    assert not is_refused(new, earlier)
    measured = earlier.set_column(4, CELLS_SCHEMA.field(4), pa.array([["victims_total"]]))
    assert is_refused(new, measured), "the sum of two follows, too"


def test_records_that_left_since_an_earlier_count_are_taken_out_of_that_one_too() -> None:
    """Twelve less six are six; four of these left as records, and the other two would be told."""
    six = dict.fromkeys(range(6), 1)
    earlier = {"twelve": weighed(dict.fromkeys(range(12), 1))}
    released = {
        "four": np.arange(6, 10, dtype=np.uint64),
        "none": np.arange(90, 95, dtype=np.uint64),
    }
    assert telling_extracts(weighed(six), earlier) == ()
    assert telling_extracts(weighed(six), earlier, released) == ("four", "twelve")
    assert tells_more(weighed(six), earlier, released)
    assert telling_extracts(weighed(six), {}, released) == ()


def test_those_whom_all_extracts_count_are_told_by_what_they_have_too_much() -> None:
    """Two of 25 and one of 45 tell the five in all three, each in a hidden cell of its own."""
    five, one, other = list(range(5)), list(range(5, 25)), list(range(25, 45))

    def total(*groups: list[int]) -> pa.Table:
        cells = [*([who] for who in five), *groups]
        size = len(cells)
        return pa.table(
            {
                "node": [str(at) for at in range(size + 1)],
                "is_published": [*[False] * size, True],
                "is_primary": [*(len(who) < 10 for who in cells), False],
                "threshold": [10] * (size + 1),
                "measures": [[]] * (size + 1),
                "parts": [*([at] for at in range(size)), list(range(size))],
                "records": [*cells, []],
                "weights": [*([1] * len(who) for who in cells), []],
            },
            schema=CELLS_SCHEMA,
        )

    assert is_refused(total(one, other), total(one), total(other))
    assert not is_refused(total(one, other), total(one, other))

"""What was typed into a field: read, or refused with a sentence beside it, and always kept."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.portal import words
from pipelines.portal.forms import Form, blank
from pipelines.portal.web.page import templates

FIELD = '{% from "macros.html" import field %}{{ field(form, "x", "Name", hint="A hint") }}'
TYPED = st.text(max_size=80)


def form(value: str) -> Form:
    return blank(x=value)


@given(TYPED)
def test_no_input_breaks_a_field_and_every_refusal_has_words(typed: str) -> None:
    for read in (
        lambda one: one.text("x", required=True, longest=20),
        lambda one: one.choice("x", ["a", "b"]),
        lambda one: one.choices("x", ["a", "b"], required=True),
        lambda one: one.date("x", required=True),
        lambda one: one.integer("x", least=1, most=9),
    ):
        one = form(typed)
        read(one)
        assert one.is_good or one.errors["x"]
        assert one.value("x") == typed


@given(TYPED)
def test_what_was_typed_comes_back_escaped(typed: str) -> None:
    one = form(typed)
    one.fail("x", f"wrong: {typed}")
    drawn = templates().from_string(FIELD).render(form=one)
    assert "<script" not in drawn.casefold() or "<script" not in typed.casefold()
    assert drawn.count("<input") == 1
    assert drawn.count('aria-describedby="hint-x error-x"') == 1
    assert 'aria-invalid="true"' in drawn


def test_a_good_field_says_nothing_of_faults() -> None:
    drawn = templates().from_string(FIELD).render(form=blank(x="a"))
    assert "aria-invalid" not in drawn
    assert 'aria-describedby="hint-x"' in drawn
    assert '<label for="field-x">' in drawn


def test_quotes_do_not_leave_the_field() -> None:
    drawn = templates().from_string(FIELD).render(form=blank(x='"><script>alert(1)</script>'))
    assert "<script" not in drawn


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-02-03", dt.date(2026, 2, 3)),
        ("03/02/2026", dt.date(2026, 2, 3)),
        ("03.02.2026", dt.date(2026, 2, 3)),
        ("", None),
        ("2026-02-30", None),
        ("yesterday", None),
    ],
)
def test_days(typed: str, day: dt.date | None) -> None:
    one = form(typed)
    assert one.date("x") == day
    assert one.is_good == (day is not None or typed == "")


def test_a_period_ends_after_it_begins() -> None:
    one = blank(since="2026-02-03", until="2026-02-01")
    one.period("since", "until")
    assert list(one.errors) == ["until"]
    assert "3 Feb 2026" in one.errors["until"]


def test_numbers_have_bounds() -> None:
    for typed, good in (("5", True), ("0", False), ("10", False), ("٣", False), ("5.0", False)):
        one = form(typed)
        assert (one.integer("x", least=1, most=9) == 5) == good
    assert form("").integer("x", least=1, most=9, otherwise=7) == 7
    assert form("9" * 4000).integer("x", least=1, most=9) is None


def test_only_what_was_offered_is_taken_in_the_order_of_the_page() -> None:
    one = Form({"x": ["b", "a"]})
    assert one.choices("x", ["a", "b", "c"]) == ("a", "b")
    forged = Form({"x": ["a", "other"]})
    assert forged.choices("x", ["a", "b"]) == ()
    assert not forged.is_good


def test_characters_that_nobody_sees_are_refused() -> None:
    for sign in ("\x00", "\x1b", "\n", "\ud800"):
        one = form(f"a{sign}b")
        assert one.text("x") == ""
        assert not one.is_good


def test_faults_are_said_in_the_language_of_the_reader() -> None:
    words.use("fr")
    try:
        one = form("")
        one.text("x", required=True)
        assert one.errors["x"] == "Remplissez ce champ."
    finally:
        words.use("en")


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", ["1,234,567", "12%", "3 Feb 2026", "3 Feb 2026, 14:05 UTC", "1.5 MB", "12 bytes"]),
        ("fr", ["1 234 567", "12 %", "3 févr. 2026", "3 févr. 2026, 14:05 UTC", "1,5 Mo", "12 o"]),
    ],
)
def test_numbers_and_days_are_written_as_the_language_does(
    language: str, written: list[str]
) -> None:
    words.use("fr" if language == "fr" else "en")
    try:
        at = dt.datetime(2026, 2, 3, 16, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
        said = [words.number(1234567), words.share(0.12), words.date(dt.date(2026, 2, 3))]
        said += [words.moment(at), words.size(1_500_000), words.size(12)]
        plain = [text.replace("\u202f", " ").replace("\u00a0", " ") for text in said]
        assert plain == written
        assert words.number(None) == words.date(None) == words.moment("") == "–"
    finally:
        words.use("en")

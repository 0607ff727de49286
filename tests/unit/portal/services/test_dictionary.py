"""Searching the dictionary: both languages, a source's own words, codes; ranking, suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.portal.services import dictionary
from schemas.contract import load_contract, table_names
from schemas.feed import feed_names, load_feed


def found(asked: str, table: str = "") -> list[str]:
    return [
        f"{hit.contract.table}.{hit.column.name if hit.column else ''}" if hit.contract else "-"
        for hit in dictionary.search(asked, table).hits
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("offence_code", "incidents.offence_code"),
        ("offence code", "incidents.offence_code"),
        ("OFFENCE-CODE", "incidents.offence_code"),
        ("Nature des faits", "incidents.offence_code"),
        ("nature de l infraction", "incidents.offence_code"),
        ("incidents", "incidents."),
        ("Prefecture", "border_crossings.admin1_code"),
        ("sex", "border_crossings.sex"),
    ],
)
def test_what_is_called_so_comes_first(asked, expected):
    assert found(asked)[0] == expected


def test_a_source_column_names_each_feed_that_has_it():
    hit = dictionary.search("Nature des faits").hits[0]
    assert hit.why == "source"
    assert "caf_police_incidents" in {use.feed for use in hit.feeds}
    assert len({(use.feed, use.source_column) for use in hit.feeds}) == len(hit.feeds)


def test_an_ignored_source_column_says_why_it_is_not_taken_over():
    [feed] = [load_feed(name) for name in feed_names() if name == "caf_gendarmerie_incidents"]
    [(source, reason), *_rest] = feed.ignore.items()
    hit = next(h for h in dictionary.search(source).hits if h.contract is None)
    assert reason in [use.reason for use in hit.feeds]


@pytest.mark.parametrize("asked", ["homicide", "Homicide intentionnel", "meurtre", "0101"])
def test_a_word_of_a_code_list_leads_to_its_columns(asked):
    hits = dictionary.search(asked).hits
    assert "incidents.offence_code" in found(asked)
    assert all(hit.why != "name" or hit.matched for hit in hits)


def test_ranking_is_exact_then_prefix_then_word_then_part():
    grades = [hit.rank[0] for hit in dictionary.search("country").hits]
    assert grades == sorted(grades)
    assert grades[0] == dictionary.EXACT
    names = found("victims")
    assert names.index("incidents.victims_total") < names.index("incidents.is_sensitive")


def test_accents_and_case_do_not_count():
    assert found("PREFECTURE") == found("préfecture")
    assert dictionary.fold("N° P.V. – Œuvre") == "n p v oeuvre"


def test_a_misspelling_gets_a_suggestion_that_leads_somewhere():
    results = dictionary.search("ofence_cod")
    assert results.hits == []
    assert results.suggestions
    assert all(dictionary.search(one).hits for one in results.suggestions)


def test_a_search_stays_in_its_table():
    assert all(one.startswith("seizures.") for one in found("code", "seizures"))


def test_every_column_and_mapped_source_column_is_found_by_its_own_name():
    for table in table_names():
        for column in load_contract(table).published:
            assert f"{table}.{column.name}" in found(column.name, table)
    for feed in map(load_feed, feed_names()):
        for target, mapping in feed.map.items():
            column = {c.name for c in load_contract(feed.table).published} & {target}
            for source in mapping.source if column else ():
                if dictionary.fold(source):
                    assert f"{feed.table}.{target}" in found(source, feed.table), source


def test_inputs_that_are_never_published_are_not_in_it():
    assert "border_crossings.document_number" not in found("document_number")
    with pytest.raises(KeyError):
        dictionary.column_of("border_crossings", "document_number")


def test_codes_are_paged_and_searched():
    first = dictionary.codes_of("offences", size=20)
    assert (len(first.rows), first.page) == (20, 1)
    assert first.pages == -(-first.total // 20)
    assert dictionary.codes_of("offences", page=10_000, size=20).page == first.pages
    assert [row["code"] for row in dictionary.codes_of("offences", "assassinat").rows] == [
        "0101",
        "0102",
    ]
    assert ("incidents", "offence_code") in first.used_by
    with pytest.raises(KeyError):
        dictionary.codes_of("admin1_outlines")


def test_rules_about_a_column_are_its_own():
    contract, column = dictionary.column_of("incidents", "offence_code")
    rules = dictionary.rules_about(contract, column)
    assert rules and all(rule.column == "offence_code" for rule in rules)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_searched(asked):
    results = dictionary.search(asked)
    assert len(results.hits) <= dictionary.MOST_HITS
    assert not (results.hits and results.suggestions)

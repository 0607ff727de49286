"""Code lists at the terminal: found by their words, with what else a list says of a code."""

from __future__ import annotations

import json

import pytest

from pipelines.cli import main
from pipelines.cli.words import use
from schemas.codelist import codelist_names, find_codes, load_codelist


@pytest.fixture(autouse=True)
def english(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LANG", "C")
    yield
    use("en")


def data(capsys, *words: str) -> list[dict]:
    assert main(["codelist", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_list_is_there_with_who_uses_it(capsys):
    found = {one["codelist"]: one for one in data(capsys, "list")}
    assert set(found) == set(codelist_names())
    assert found["offences"]["codes"] == len(load_codelist("offences"))
    assert "incidents.offence_code" in found["offences"]["used_by"]


def test_a_whole_list_is_shown_in_the_order_of_the_file(capsys):
    shown = data(capsys, "show", "seizure_kinds")
    assert [one["code"] for one in shown] == [row["code"] for row in load_codelist("seizure_kinds")]
    assert {"parent", "label_en", "label_fr", "valid_from", "valid_to", "unit_kinds"} <= set(
        shown[0]
    )


@pytest.mark.parametrize("asked", ["meurtre", "MEURTRE", "0101", "féminicide", "feminicide"])
def test_a_code_is_found_by_code_word_or_alias_without_its_accents(asked, capsys):
    found = data(capsys, "show", "offences", asked)
    assert "0101" in [one["code"] for one in found]
    assert "murder" in next(one["aliases"] for one in found if one["code"] == "0101")


def test_several_words_are_looked_for_as_they_stand(capsys):
    assert [one["code"] for one in data(capsys, "show", "units", "metric", "carat")] == ["carat"]
    assert find_codes("units", "nothing of the kind") == []


def test_a_day_leaves_out_what_was_not_valid_on_it(capsys):
    first, last = "2015-06-30", "2015-07-01"
    before = {one["code"] for one in data(capsys, "show", "admin_areas", "--as-of", first)}
    after = {one["code"] for one in data(capsys, "show", "admin_areas", "--as-of", last)}
    assert "CD54" in after - before, "Ituri became a province when the six older ones ended"
    assert before - after, "the older provinces"


def test_parents_days_and_aliases_are_shown_where_there_are_any(capsys):
    assert main(["codelist", "show", "offences", "meurtre"]) == 0
    page = capsys.readouterr().out
    assert "Part of" in page and "assassinat" in page and "Valid" not in page
    assert main(["codelist", "show", "missions", "--lang", "fr"]) == 0
    page = capsys.readouterr().out
    assert "2014-04-10 – …" in page and page.index("Français") < page.index("English")
    assert "passerelle codelist show missions MINUSCA" in page


def test_what_is_not_found_is_said(capsys):
    assert main(["codelist", "show", "sexes", "xyz"]) == 0
    assert "No code of this list holds “xyz”." in capsys.readouterr().out
    assert main(["codelist", "show", "missons"]) == 2
    assert "Did you mean “missions”?" in capsys.readouterr().err

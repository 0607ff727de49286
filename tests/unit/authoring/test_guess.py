"""Proposals of a feed: how many target columns are right, and what is marked as a doubt.

Not here: the layout alone (`test_sniff.py`).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipelines.authoring.guess import propose_feed
from pipelines.core.findings import DeliveryError
from pipelines.harmonise.compile import compile_feed
from schemas.codelist import codelist_names
from schemas.contract import load_contract, table_names
from schemas.feed import FEEDS_FOLDER, Feed, feed_names, load_feed
from schemas.text import read_csv

SOURCES = Path(__file__).parents[3].parent / "shared" / "reference" / "sources"
needs_sources = pytest.mark.skipif(
    not SOURCES.is_dir(), reason="the public reference files are not beside this checkout"
)
# Measured in November 2026: 302 of 310. The synonyms were written with these feeds in view, so
# this is a floor for them, not a forecast for a stranger's file; see the public samples below.
LEAST_RIGHT_OVERALL, LEAST_RIGHT_OF_A_FEED = 0.95, 0.9
FEEDS = [name for name in feed_names() if load_feed(name).examples()]


def sample_of(feed: Feed) -> Path:
    """The longest example; of UCDP the one with a row of HXL tags."""
    tagged = [path for path in feed.examples() if "hxl" in path.name and "without" not in path.name]
    return (tagged or [max(feed.examples(), key=lambda path: path.stat().st_size)])[0]


def loaded(text: str, place: Path) -> Feed:
    """The feed that a proposal declares."""
    folder = place / yaml.safe_load(text)["feed"]
    folder.mkdir(exist_ok=True)
    (folder / "feed.yaml").write_text(text, encoding="utf-8")
    return load_feed(folder)


def right_targets(declared: Feed, proposed: Feed) -> set[str]:
    """The targets that both fill from the same source columns, or with the same value."""
    return {
        target
        for target, mapping in declared.map.items()
        if (other := proposed.map.get(target))
        and set(mapping.source) == set(other.source)
        and mapping.value == other.value
    }


@pytest.fixture(scope="module")
def proposals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Feed]:
    return {
        name: loaded(propose_feed(sample_of(feed), feed.table), tmp_path_factory.mktemp(name))
        for name in FEEDS
        for feed in [load_feed(name)]
    }


def test_most_target_columns_are_right(proposals: dict[str, Feed]) -> None:
    right = {name: len(right_targets(load_feed(name), got)) for name, got in proposals.items()}
    wanted = {name: len(load_feed(name).map) for name in proposals}
    assert sum(right.values()) >= LEAST_RIGHT_OVERALL * sum(wanted.values()), right
    assert not {n: right[n] for n in right if right[n] < LEAST_RIGHT_OF_A_FEED * wanted[n]}


def test_what_deliveries_are_is_a_question_that_no_file_answers(tmp_path: Path) -> None:
    feed = load_feed("caf_gendarmerie_incidents")
    text = propose_feed(sample_of(feed), feed.table)
    assert re.search(r"^# deliveries: register  # \? register .*correction", text, re.MULTILINE)
    assert loaded(text, tmp_path).deliveries is None, "nobody said"
    said = text.replace("# deliveries: register  # ?", "deliveries: register  #")
    assert loaded(said, tmp_path).deliveries == "register"


def test_layouts_are_right(proposals: dict[str, Feed]) -> None:
    for name, proposed in proposals.items():
        declared, guessed = load_feed(name).file[0], proposed.file[0]
        same = ("format", "delimiter", "header_rows", "records", "hxl_row", "with_sheet_column")
        assert {k: getattr(guessed, k) for k in same} == {k: getattr(declared, k) for k in same}
        assert guessed.encoding.removesuffix("-sig") == declared.encoding.removesuffix("-sig")
        assert proposed.decimal == (load_feed(name).decimal if has_fractions(proposed) else ".")


def has_fractions(feed: Feed) -> bool:
    """True for a feed whose sample has numbers with a decimal sign."""
    return bool({"latitude_deg", "longitude_deg"} & set(feed.map))


def test_a_proposal_compiles_as_it_stands(proposals: dict[str, Feed]) -> None:
    for proposed in proposals.values():
        assert compile_feed(proposed, load_contract(proposed.table)).sql


def test_no_personal_column_is_mapped(proposals: dict[str, Feed]) -> None:
    for name, proposed in proposals.items():
        personal = {
            column for column, why in load_feed(name).ignore.items() if "never read" in why.en
        }
        assert not personal & set(proposed.mapped_columns), name


def test_every_doubt_says_why() -> None:
    feed = load_feed("caf_border_crossings")
    text = propose_feed(sample_of(feed), feed.table)
    doubts = [line.partition("# ?")[2] for line in text.splitlines()[1:] if "# ?" in line]
    assert len(doubts) > 5
    assert all(len(doubt.strip()) > 5 for doubt in doubts)


def test_day_and_month_that_cannot_be_told_apart_are_a_doubt(tmp_path: Path) -> None:
    sample = tmp_path / "events.csv"
    sample.write_text("id,date,state\n1,03/04/2026,Unity\n2,05/06/2026,Lakes\n", encoding="utf-8")
    text = propose_feed(sample, "incidents")
    assert re.search(r"occurred_at: .*%d/%m/%Y.*# \? .*day first or month first", text)
    sample.write_text("id,date,state\n1,03/14/2026,Unity\n2,05/06/2026,Lakes\n", encoding="utf-8")
    month_first = propose_feed(sample, "incidents")
    assert "%m/%d/%Y" in month_first
    assert "month first" not in month_first


def test_shared_words_outside_the_list_are_named(tmp_path: Path) -> None:
    sample = tmp_path / "events.csv"
    words = ("couteau", *3 * ("lance-pierre",), "fronde de Jean", *3 * ("fusil n° 12",))
    rows = "".join(f"{at};{word}\n" for at, word in enumerate(words))
    sample.write_text("id;arme\n" + rows, encoding="utf-8")
    text = propose_feed(sample, "incidents")
    assert (
        "weapon_kind: {from: arme}  # ? not in the list weapon_kinds: “lance-pierre”, 3 in all"
        in text
    )
    assert "language: fr" in text


@pytest.mark.parametrize(
    "heading",
    ["Auteur présumé", "Perpetrator", "auteur.nom", "Arme de la victime", "Nom de l'arme", "Agent"],
)
def test_no_person_is_named_however_often(tmp_path: Path, heading: str) -> None:
    sample = tmp_path / "events.csv"
    rows = "".join(f"{at};DUPONT Jean;rayé;couteau\n" for at in range(5))
    rows += "9;NGANA Marie;annulé par KOUTOU;couteau\n"
    sample.write_text(f"id;{heading};annulé;arme\n" + rows, encoding="utf-8")
    for table in table_names("data"):
        text = propose_feed(sample, table)
        assert not re.search("DUPONT|NGANA|KOUTOU", text), table


def test_words_for_no_value_and_totals_are_found(tmp_path: Path) -> None:
    sample = tmp_path / "events.csv"
    rows = "1;Unity;3\n2;-;néant\nTOTAL;;3\n"
    sample.write_text("n°;province;victimes\n" + rows, encoding="utf-8")
    feed = loaded(propose_feed(sample, "incidents"), tmp_path)
    assert set(feed.blank) == {"", "-", "néant"}
    assert [(skip.column, skip.matches) for skip in feed.skip_rows] == [("n°", "(?i)^total")]
    assert feed.map["victims_total"].source == ("victimes",)


def test_a_number_that_recurs_is_joined_with_its_post(tmp_path: Path) -> None:
    sample = tmp_path / "passages.csv"
    rows = "".join(f"{post};{n};01/05/2026;E\n" for post in ("Béloko", "Zongo") for n in (1, 2))
    sample.write_text("poste;n°;date;sens\n" + rows, encoding="utf-8")
    feed = loaded(propose_feed(sample, "border_crossings"), tmp_path)
    assert feed.map["source_record_id"].source == ("poste", "n°")
    assert feed.map["direction"].source == ("sens",)


@pytest.mark.parametrize("content", ["", "   \n"])
def test_an_empty_sample_is_refused(tmp_path: Path, content: str) -> None:
    sample = tmp_path / "empty.csv"
    sample.write_text(content, encoding="utf-8")
    with pytest.raises(DeliveryError) as refused:
        propose_feed(sample, "incidents")
    assert refused.value.findings[0].code == "DEL-706"


def test_an_unknown_table_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        propose_feed(tmp_path / "any.csv", "accidents")


@pytest.mark.parametrize("heading", ["a: b", "a#b", "- x", "100%", "yes", "1", "*", "é'\"{}", "?"])
def test_any_heading_survives_the_yaml(tmp_path: Path, heading: str) -> None:
    import csv

    sample = tmp_path / "odd.csv"
    with sample.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["incident id", heading, "date"], ["7", "x", "2026-05-01"]])
    feed = loaded(propose_feed(sample, "incidents"), tmp_path)
    assert heading in {*feed.ignore, *feed.mapped_columns}


def test_synonyms_are_of_columns_that_exist() -> None:
    columns = {
        column.name
        for table in table_names("data")
        for column in load_contract(table).columns_filled_by("feed", "input")
    }
    rows = read_csv(FEEDS_FOLDER / "synonyms.csv")
    targets = {row["target"].partition(":")[0] for row in rows} - {"ignore"}
    assert targets <= columns
    assert {row["language"] for row in rows} == {"en", "fr"}
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert codelist_names()


@needs_sources
def test_french_police_statistics(tmp_path: Path) -> None:
    """A real French layout, nobody's model: a mark, semicolons, dotted headings, decimal commas."""
    text = propose_feed(SOURCES / "fr_crimes" / "donnee-dep-corr.csv", "incidents")
    feed = loaded(text, tmp_path)
    assert (feed.file[0].encoding, feed.file[0].delimiter) == ("utf-8-sig", ";")
    assert feed.language == "fr"
    assert feed.map["offence_code"].source == feed.map["offence_text"].source == ("classe",)
    assert "# ? source_record_id: no column of the sample fills it" in text
    assert "tauxpourmille" in feed.ignore


@needs_sources
def test_public_samples_that_no_feed_was_made_for(tmp_path: Path) -> None:
    """What each of these files has that the table wants, as a person would match it."""
    fatalities = propose_feed(SOURCES / "un_fatalities" / "dppadposs-fatalities.csv", "incidents")
    dtm = propose_feed(
        SOURCES / "iom_dtm" / "global-iom-dtm-from-api-admin-0-to-2.csv", "border_flows"
    )
    first = loaded(fatalities, tmp_path).map
    assert first["occurred_at"].source == ("incident_date",)
    assert first["offence_code"].source == ("type_of_incident",)
    second = loaded(dtm, tmp_path)
    assert second.file[0].hxl_row == "optional"
    wanted = {
        "source_record_id": ("id",),
        "country": ("admin0Name",),
        "admin1_code": ("admin1Name",),
        "admin2_code": ("admin2Name",),
        "occurred_at": ("reportingDate",),
    }
    assert {target: second.map[target].source for target in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2026-05-08T22:15:00.000+01:00", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("2026-05-08T22:15:00.345Z", "%Y-%m-%dT%H:%M:%S.%f%z"),
        ("2026-05-08T22:15:00Z", "%Y-%m-%dT%H:%M:%S%z"),
        ("8 août 2026", "%d %b %Y"),
        ("8 août 2026 14h05", "%d %b %Y %Hh%M"),
    ],
)
def test_times_of_machines_and_french_months_are_proposed(
    tmp_path: Path, text: str, form: str
) -> None:
    sample = tmp_path / "kobo.csv"
    rows = "".join(f"{n},{text},Ouaka,Meurtre\n" for n in range(101, 105))
    sample.write_text(f"_id,date_faits,prefecture,type_incident\n{rows}", encoding="utf-8")
    assert f'formats: ["{form}"]' in propose_feed(sample, "incidents")


def test_the_times_of_a_form_are_not_those_of_the_event(tmp_path: Path) -> None:
    """Kobo and ODK write beside the answers when a form was opened and closed."""
    sample = tmp_path / "kobo.csv"
    moments = [f"2026-05-{day:02}T22:15:00.000+01:00" for day in range(1, 7)]
    rows = [
        f"2026-06-01T08:00:00.000+01:00,2026-06-01T08:10:00.000+01:00,u{at},Ouaka,{moment}"
        for at, moment in enumerate(moments)
    ]
    heads = "start,end,_uuid,lieu/prefecture,faits/date_heure"
    sample.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    proposed = yaml.safe_load(propose_feed(sample, "incidents"))
    assert proposed["map"]["occurred_at"]["from"] == "faits/date_heure"
    assert "occurred_until" not in proposed["map"]
    assert {"start", "end"} <= set(proposed["ignore"])
    # without the marks of such an export, an event that starts is an event
    sample.write_text(sample.read_text("utf-8").replace("_uuid", "agent"), encoding="utf-8")
    assert (
        yaml.safe_load(propose_feed(sample, "incidents"))["map"]["occurred_at"]["from"] == "start"
    )


def test_dates_and_counts_in_arabic_indic_figures_are_proposed(tmp_path: Path) -> None:
    sample = tmp_path / "a.csv"
    figures = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    rows = [f"{n},{f'{n + 12}/05/2026'.translate(figures)},٢٢:١٥,Ouaka,١" for n in range(1, 9)]
    sample.write_text("\n".join(["numéro,date,heure,préfecture,tués", *rows]), encoding="utf-8")
    proposed = yaml.safe_load(propose_feed(sample, "incidents"))["map"]
    assert proposed["occurred_at"]["from"] == ["date", "heure"]
    assert proposed["occurred_at"]["formats"] == ["%d/%m/%Y %H:%M"]
    assert proposed["killed_total"]["from"] == "tués"

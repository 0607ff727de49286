"""What is wrong with a declaration is told with its file and its line, before anything uses it.

Not here: what the contracts say (`test_contracts.py`).
"""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.authoring.check import check_feed
from pipelines.cli import main as cli
from pipelines.core.findings import OURS
from pipelines.core.settings import settings_for
from pipelines.ingest.inbox import ingest_inbox
from pipelines.ingest.ingest import ingest
from schemas import contract_check, declared, record, rule_codes
from schemas.contract import all_rules, load_contract, table_names
from schemas.feed import FEEDS_FOLDER, SCHEMA, feed_names, schema_line
from schemas.problem import ContractError, ContractProblem, words
from schemas.render import history, odcs
from schemas.render.__main__ import DOCS, contracts, main, problems, rendered
from schemas.text import FOLDER, LANGUAGES

Edit = Callable[[str, str, str], int]
KINDS = ("fields", "groups", "rule_templates", "tables")


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Replaces words of a copied file; gives back the line that holds the new ones."""
    for name in ("fields", "tables", "groups.yaml", "rule_templates.yaml", "rule_codes.csv"):
        source, target = FOLDER / name, tmp_path / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    monkeypatch.setattr(declared, "FIELDS_FOLDER", tmp_path / "fields")
    monkeypatch.setattr(declared, "TABLES_FOLDER", tmp_path / "tables")
    monkeypatch.setattr(declared, "GROUPS_FILE", tmp_path / "groups.yaml")
    monkeypatch.setattr(declared, "TEMPLATES_FILE", tmp_path / "rule_templates.yaml")
    monkeypatch.setattr(rule_codes, "CODES_FILE", tmp_path / "rule_codes.csv")

    def replace(file: str, old: str, new: str) -> int:
        path = tmp_path / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        start = text.index(old)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        _forget()
        return text[:start].count("\n") + 1 + new[: len(new) - len(new.lstrip("\n"))].count("\n")

    _forget()
    yield replace
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    cached = (declared.fields, declared.groups, declared.templates, declared.table)
    for known in (*cached, contract_check.check):
        known.cache_clear()
    load_contract.cache_clear()


def _told(table: str = "incidents") -> tuple[str, str, int]:
    """The code, the file and the line of the problem that reading a table meets."""
    with pytest.raises(ContractError) as told:
        load_contract(table)
    (problem,) = told.value.problems
    for language in LANGUAGES:
        assert f"{problem.path.name}:{problem.line}" in problem.text(language)
    return problem.code, problem.path.name, problem.line


WRONG = {
    "an unknown key of a column": (
        ("fields/place.yaml", "  example: CAF\n", "  exemple: CAF\n  example: CAF\n"),
        "CON-103",
    ),
    "an unknown key of a table": (
        ("tables/incidents.yaml", "\ncolumns:", "\ncolumn: []\ncolumns:"),
        "CON-103",
    ),
    "a key that stands twice": (
        ("tables/incidents.yaml", "  INC-105:", "  INC-104: {required: country}\n  INC-105:"),
        "CON-102",
    ),
    "no YAML": (("tables/incidents.yaml", "\ncolumns:", "\n\tcolumns:"), "CON-101"),
    "a label in one language": (
        ("fields/place.yaml", "label: {en: Country, fr: Pays}", "label: {en: Country}"),
        "CON-104",
    ),
    "a type that is none": (("fields/time.yaml", "type: date", "type: day"), "CON-105"),
    "a column that nobody declares": (
        ("tables/incidents.yaml", "offence_code, offence_text", "offence_code, offence_txt"),
        "CON-201",
    ),
    "a column that stands twice": (
        ("tables/incidents.yaml", "offence_code, offence_text", "offence_code, offence_code"),
        "CON-205",
    ),
    "a group that is none": (("tables/incidents.yaml", "+place", "+places"), "CON-203"),
    "an override of a column that the table lacks": (
        ("tables/incidents.yaml", "overrides:\n", "overrides:\n  hs_code: {required: true}\n"),
        "CON-204",
    ),
    "a rule about a column that the table lacks": (
        ("tables/incidents.yaml", "{required: offence_code}", "{required: hs_code}"),
        "CON-204",
    ),
    "a code list that is none": (
        ("fields/offence.yaml", "codelist: offences", "codelist: crimes"),
        "CON-206",
    ),
    "an attribute that the list lacks": (
        ("tables/incidents.yaml", "attribute: is_sexual", "attribute: is_sexy"),
        "CON-207",
    ),
    "a table of records that does not tell them apart": (
        ("tables/incidents.yaml", "[+identity, ", "["),
        "CON-208",
    ),
    "a role that is none": (
        ("tables/incidents.yaml", "  event_time_end:", "  event_end:"),
        "CON-103",
    ),
    "a look-up by a column that is none": (
        ("fields/time.yaml", "{admin1_code: time_zone,", "{admin2: time_zone,"),
        "CON-204",
    ),
    "a look-up of what the code list does not say": (
        ("fields/place.yaml", "country_b: admin1_b}", "country_b: admin1_c}"),
        "CON-207",
    ),
    "a part of a count that is none": (
        ("fields/persons.yaml", "part_of: suspects_total", "part_of: suspects"),
        "CON-204",
    ),
    "a part of which nothing says the whole": (
        ("fields/persons.yaml", "  part_of: suspects_total\n", ""),
        "CON-308",
    ),
    "a role of a group that is none": (
        ("groups.yaml", "    event_time: occurred_at", "    time_of_event: occurred_at"),
        "CON-103",
    ),
    "a role of a column that the table lacks": (
        ("tables/incidents.yaml", "sensitive: is_sensitive", "sensitive: is_secret"),
        "CON-204",
    ),
    "a role of several columns, of which the table lacks one": (
        ("tables/incidents.yaml", "shown_by: [offence_code, source]", "shown_by: [source, sex]"),
        "CON-204",
    ),
    "a role that a group gives already": (
        ("tables/incidents.yaml", "roles:\n", "roles:\n  country: country\n"),
        "CON-211",
    ),
    "a rule of no template": (
        ("tables/incidents.yaml", "{required: offence_code}", "{requires: offence_code}"),
        "CON-301",
    ),
    "a rule of two templates": (
        (
            "tables/incidents.yaml",
            "{required: offence_code}",
            "{required: offence_code, readable: offence_code}",
        ),
        "CON-301",
    ),
    "a template without what it needs": (
        ("tables/incidents.yaml", ", most: 1000}", "}"),
        "CON-302",
    ),
    "a template with what it does not know": (
        ("tables/incidents.yaml", "{required: offence_code}", "{required: offence_code, whole: x}"),
        "CON-303",
    ),
    "a rule of its own under a number of a group": (
        ("tables/incidents.yaml", "  INC-105:", "  INC-103: {required: offence_code}\n  INC-105:"),
        "CON-304",
    ),
    "a rule that does not say which rows fail it": (
        (
            "tables/incidents.yaml",
            "    fails: victims_female + victims_male < victims_total}",
            "    dimension: accuracy}",
        ),
        "CON-311",
    ),
    "a condition that is no text": (
        (
            "tables/incidents.yaml",
            "fails: victims_female + victims_male < victims_total}",
            "fails: 7}",
        ),
        "CON-105",
    ),
    "a part of a template that is no text": (
        (
            "tables/incidents.yaml",
            "victims_total, name: victims_implausible, most: 1000",
            "victims_total, name: victims_implausible, most: {en: 1000}",
        ),
        "CON-105",
    ),
    "a list where a template wants a number": (
        ("tables/incidents.yaml", "most: 1000}", "most: [1000]}"),
        "CON-105",
    ),
    "a number where a template wants a list": (
        ("groups.yaml", "one_of: [CAF, COD, SSD]", "one_of: 3"),
        "CON-105",
    ),
    "an identity of a column that the table lacks": (
        ("tables/incidents.yaml", "identity: [occurred_on,", "identity: [occured_on,"),
        "CON-204",
    ),
    "a helper that says half of what it takes": (
        (
            "tables/incidents.yaml",
            "{column: offence_code, attribute: is_sexual, codelist",
            "{attribute: is_sexual, codelist",
        ),
        "CON-217",
    ),
    "a version that is none": (("tables/incidents.yaml", "version: 2.", "version: v2."), "CON-105"),
    "a dimension of quality that is none": (
        ("tables/incidents.yaml", "    dimension: conformity", "    dimension: conformance"),
        "CON-105",
    ),
    "a table under another name than its file": (
        ("tables/incidents.yaml", "table: incidents", "table: incident"),
        "CON-219",
    ),
    "a code of other letters": (("tables/incidents.yaml", "  INC-105:", "  SEI-105:"), "CON-305"),
    "words of no rule": (
        ("tables/incidents.yaml", "words:\n  INC-409:", "words:\n  INC-499:"),
        "CON-306",
    ),
    "a template that names what is not there": (
        ("rule_templates.yaml", "“{label}” is missing.", "“{title}” is missing."),
        "CON-308",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_told_with_its_code_file_and_line(name: str, edit: Edit) -> None:
    (file, old, new), code = WRONG[name]
    line = edit(file, old, new)
    told, path, told_line = _told()
    assert (told, path) in (
        (code, Path(file).name),
        (code, "incidents.yaml"),
        (code, "groups.yaml"),
    )
    if path == Path(file).name and code not in ("CON-307", "CON-308"):
        assert abs(told_line - line) <= 1


def test_a_rule_without_its_words_is_told(edit: Edit) -> None:
    text = (declared.TABLES_FOLDER / "incidents.yaml").read_text(encoding="utf-8")
    words = re.search(
        r"  INC-511:\n    says:.*?(?=  INC-512:)", text[text.index("\nwords:") :], re.S
    )
    assert words
    edit("tables/incidents.yaml", words[0], "")
    assert _told()[0] == "CON-307"


UNKNOWN = {
    "in a rule of the table": ("tables/incidents.yaml", "offence_code LIKE", "offence_kind LIKE"),
    "in a rule of a group": ("groups.yaml", "AND direction IN", "AND way IN"),
    "in what fills a column": ("fields/record.yaml", "source || ':'", "sauce || ':'"),
    "in what compares rows": (
        "tables/incidents.yaml",
        "occurred_on IS NOT NULL",
        "day IS NOT NULL",
    ),
    "in a bound": (
        "tables/border_flows.yaml",
        "start: period_start}",
        "start: period_begin}",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_name_in_sql_that_means_nothing_is_told(name: str, edit: Edit) -> None:
    file, old, new = UNKNOWN[name]
    table = "border_flows" if "incidents" not in file else "incidents"
    line = edit(file, old, new)
    (told,) = contract_check.problems(table)
    assert (told.code, told.path.name) == ("CON-209", Path(file).name)
    assert 0 <= line - told.line <= 6  # a long rule is told where it begins
    with pytest.raises(ContractError, match="CON-209"):
        contract_check.check_all()


def test_sql_that_cannot_be_read_is_told(edit: Edit) -> None:
    edit("tables/incidents.yaml", "killed_total = 0}", "killed_total = (0}")
    assert [one.code for one in contract_check.problems("incidents")] == ["CON-210"]


UNFIT = {
    "a function that is none": (
        ("tables/incidents.yaml", "killed_total = 0}", "size_of(killed_total) = 0}"),
        "CON-212",
    ),
    "a comparison of what cannot be compared": (
        ("tables/incidents.yaml", "killed_total = 0}", "killed_total = 'none'}"),
        "CON-212",
    ),
    "a derivation of another type": (
        ("fields/record.yaml", "coalesce(withdrawal, FALSE)", "'[withdrawal]'"),
        "CON-212",
    ),
    "a condition of withholding that is no column": (
        ("tables/incidents.yaml", "withheld_when: {is_sensitive:", "withheld_when: {is_secret:"),
        "CON-209",
    ),
    "a question about a column that is none": (
        ("tables/incidents.yaml", "sum(killed_total)", "sum(killed)"),
        "CON-209",
    ),
    "an area without its country": (("groups.yaml", "    country: country\n", ""), "CON-213"),
    "a position without its point": (
        ("groups.yaml", "    point: [latitude_deg, longitude_deg]\n", ""),
        "CON-213",
    ),
    "a count of persons without what tells one count from another": (
        ("tables/incidents.yaml", "roles:\n", "roles:\n  person_count: victims_total\n"),
        "CON-213",
    ),
    "a point of one figure": (
        ("groups.yaml", "point: [latitude_deg, longitude_deg]", "point: [latitude_deg]"),
        "CON-214",
    ),
    "a moment that is a text": (
        ("groups.yaml", "event_time: occurred_at\n", "event_time: occurred_at_text\n"),
        "CON-214",
    ),
    "a country of another list": (
        ("groups.yaml", "    country: country\n", "    country: admin1_code\n"),
        "CON-214",
    ),
    "a kind without a list": (
        ("tables/incidents.yaml", "classification: offence_code", "classification: offence_text"),
        "CON-214",
    ),
    "silence about what a column gives away": (
        ("fields/persons.yaml", "  reveals: [is_sensitive]\n", ""),
        "CON-215",
    ),
    "a column that nothing fills": (
        ("fields/record.yaml", "  derive: coalesce(withdrawal, FALSE)\n", ""),
        "CON-216",
    ),
    "a day of no moment": (
        ("fields/time.yaml", "day_of: occurred_until", "day_of: origin_country"),
        "CON-218",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_the_engine_cannot_use_is_told_with_its_line(name: str, edit: Edit) -> None:
    (file, old, new), code = UNFIT[name]
    line = edit(file, old, new)
    found = contract_check.problems("incidents")
    assert code in [one.code for one in found]
    told = next(one for one in found if one.code == code)
    if told.path.name == Path(file).name and code not in (
        "CON-213",
        "CON-215",
        "CON-216",
        "CON-218",
    ):
        assert 0 <= line - told.line <= 6
    for language in LANGUAGES:
        assert "{" not in told.text(language)
    with pytest.raises(ContractError, match=code):
        contract_check.check("incidents")


def test_what_the_check_takes_for_offered_is_what_a_delivery_is_judged_with() -> None:
    """The stand-ins bind as the functions do: every shipped contract passes, and is compiled."""
    contract_check.check_all()


@pytest.mark.parametrize(
    "text", [b"", b"- a\n", b"7\n", b"a: [\n", b"\x07", b"? [a]\n: b\n", b"\xff"]
)
def test_a_file_of_another_shape_is_told(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "groups.yaml"
    file.write_bytes(text)
    with pytest.raises(ContractError) as told:
        declared.checked(declared.Table, declared.read_declared(file), file, ())
    assert told.value.problems[0].code in ("CON-101", "CON-103", "CON-104", "CON-105")
    assert told.value.problems[0].line == 1 or b"[" in text


def test_the_error_reaches_another_process_whole() -> None:
    problem = ContractProblem("CON-210", FOLDER / "groups.yaml", 7)
    again = pickle.loads(pickle.dumps(ContractError([problem])))  # noqa: S301
    assert again.problems == (problem,) and again.text("fr") == ContractError([problem]).text("fr")


def test_a_delivery_waits_while_its_table_is_not_in_order(
    edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of its sender: it gets no verdict, and the others go on."""
    tried: list[str] = []
    monkeypatch.setattr(
        "pipelines.ingest.inbox._attempt", lambda *given: tried.append(given[-1].feed) or []
    )
    settings = settings_for(tmp_path / "home").prepare()
    for feed in ("caf_police_incidents", "caf_border_crossings"):
        target = Path(str(settings.inbox)) / feed
        target.mkdir(parents=True)
        shutil.copy(sorted((FEEDS_FOLDER / feed / "examples").iterdir())[0], target)
    edit("tables/incidents.yaml", "offence_code LIKE", "offence_kind LIKE")
    told: list[Any] = []
    assert ingest_inbox(settings, on_problem=told.append) == []
    assert tried == ["caf_border_crossings"]
    assert [one.code for one in told] == ["CON-209"]
    (file,) = (Path(str(settings.inbox)) / "caf_police_incidents").iterdir()
    with pytest.raises(ContractError, match="CON-209"):
        ingest(settings, "caf_police_incidents", file)
    edit("tables/incidents.yaml", "offence_kind LIKE", "offence_code LIKE")
    ingest_inbox(settings)
    assert tried.count("caf_police_incidents") == 1


def test_dagster_is_told_in_both_languages_without_a_trace_of_ours(tmp_path: Path) -> None:
    """In a process of its own: what is imported stays imported."""
    code = (
        "from schemas import declared, contract\n"
        f"declared.GROUPS_FILE = type(declared.GROUPS_FILE)({str(tmp_path / 'groups.yaml')!r})\n"
        "import assets\n"
    )
    text = declared.GROUPS_FILE.read_text(encoding="utf-8")
    (tmp_path / "groups.yaml").write_text(text.replace("columns:", "colunms:", 1), "utf-8")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode and "DagsterInvalidDefinitionError" in done.stderr
    assert "CON-103: “colunms” is not" in done.stderr and "n’est pas connu ici" in done.stderr
    assert "schemas/compose.py" not in done.stderr


def test_no_sentence_to_a_sender_says_that_a_fault_of_ours_needs_nothing() -> None:
    rules = all_rules()
    for code in OURS:
        assert "fault on our side" in rules[code].explanation.en
        assert "Tell the data specialist" in rules[code].correction.en
        assert "rien à faire" not in rules[code].correction.fr
    ours = {code for code, rule in rules.items() if "fault on our side" in rule.explanation.en}
    assert ours == OURS


@pytest.mark.parametrize("edits", [("+identity, ", ""), ("offence_code LIKE", "kind LIKE")])
def test_the_check_of_a_feed_tells_what_is_wrong_with_its_table(
    edits: tuple[str, str], edit: Edit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("tables/incidents.yaml", *edits)
    with pytest.raises(ContractError, match=r"incidents\.yaml:\d+: CON-20[89]"):
        check_feed(settings_for(tmp_path / "home"), FEEDS_FOLDER / "caf_police_incidents")
    feeds = ["caf_police_incidents", "cod_pnc_incidents"]
    assert cli(["feed", "check", *feeds, "--lang", "fr", "--home", str(tmp_path)]) == 3
    told = capsys.readouterr().err
    assert len(re.findall(r"CON-20[89]", told)) == 1 and "incidents.yaml:" in told


def test_a_command_stops_with_the_file_and_the_line(
    edit: Edit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("tables/incidents.yaml", "[+identity, ", "[")
    assert cli(["table", "show", "incidents", "--lang", "fr", "--home", str(tmp_path)]) == 3
    told = capsys.readouterr().err
    assert "CON-208" in told and "incidents.yaml:" in told and "Traceback" not in told


def test_a_column_that_two_files_declare_is_told(edit: Edit) -> None:
    edit("fields/time.yaml", "\noccurred_on:", "\ncountry:\n  label: {en: A, fr: B}\noccurred_on:")
    assert _told()[0] == "CON-202"


def test_groups_that_share_a_number_do_not_go_together(edit: Edit) -> None:
    """310 is the border point’s; incidents use it for the offence, so they cannot take it."""
    edit("tables/incidents.yaml", "+place", "+place, +border_point")
    assert _told()[0] == "CON-304"


def test_a_table_may_change_the_severity_and_the_words_of_a_group_s_rule(edit: Edit) -> None:
    edit("tables/incidents.yaml", "  INC-105:", "  INC-102: {severity: warning}\n  INC-105:")
    edit(
        "tables/incidents.yaml",
        "words:\n",
        "words:\n  INC-102:\n    fix: {en: Write {it}., fr: Écrivez-le.}\n".replace("{it}", "it"),
    )
    rule = load_contract("incidents").rule("INC-102")
    assert (rule.severity, rule.correction.en) == ("warning", "Write it.")
    assert rule.message == load_contract("seizures").rule("SEI-102").message


def test_a_table_may_change_one_sentence_of_a_column(edit: Edit) -> None:
    """The others stay as the column says them."""
    own = "{required: {fix: {en: Write the post., fr: Écrivez le poste.}}}"
    edit("tables/seizures.yaml", "overrides:\n", f"overrides:\n  country: {{faults: {own}}}\n")
    changed, plain = load_contract("seizures").rule("SEI-102"), load_contract("incidents")
    assert changed.correction.en == "Write the post."
    assert changed.explanation == plain.rule("INC-102").explanation


def test_a_column_is_added_in_two_places(edit: Edit) -> None:
    edit(
        "fields/offence.yaml",
        "\noffence_code:",
        "\nsuspect_vehicle:\n  codelist: vehicle_kinds\n  label: {en: Getaway, fr: Fuite}\n"
        "  description: {en: How they fled., fr: Comment ils ont fui.}\n  example: car\n"
        '  hxl: "#event+vehicle"\n\noffence_code:',
    )
    edit("tables/incidents.yaml", "weapon_kind,", "weapon_kind, suspect_vehicle,")
    edit("tables/incidents.yaml", "rules:\n", "rules:\n  INC-399: {in_codelist: suspect_vehicle}\n")
    contract = load_contract("incidents")
    assert contract.column("suspect_vehicle").codelist == "vehicle_kinds"
    assert contract.rule("INC-399").message.fr.startswith("«\u00a0Fuite\u00a0»")


def test_a_table_has_the_roles_of_its_groups_and_its_own() -> None:
    contract = load_contract("incidents")
    assert (contract.roles.event_time, contract.event_day) == ("occurred_at", "occurred_on")
    assert contract.roles.area == ("admin1_code", "admin2_code")
    assert contract.roles.classification == "offence_code"
    assert contract.roles.border_point is None and contract.roles.period == ()
    assert load_contract("deliveries").event_day is None


def test_what_every_record_has_is_named_in_one_place() -> None:
    for group, names in (("identity", record.IDENTITY), ("provenance", record.PROVENANCE)):
        said = declared.groups()[group]
        assert (*said.columns, *said.inputs) == names
    for table in table_names("data"):
        held = {column.name for column in load_contract(table).columns}
        assert held.issuperset((*record.IDENTITY, *record.PROVENANCE))


def test_a_question_names_the_columns_without_which_it_is_not_asked() -> None:
    questions = {one.name: one for one in load_contract("incidents").questions}
    assert questions["victims"].columns == ("admin1_code", "victims_total", "killed_total")


@pytest.mark.parametrize("kind", KINDS)
def test_editors_complete_the_files_by_a_schema_that_accepts_them(kind: str) -> None:
    from jsonschema import Draft202012Validator

    path = DOCS / f"schemas/declarations/{kind}.schema.json"
    validator = Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    single = FOLDER / f"{kind}.yaml"
    files = [single] if single.is_file() else sorted((FOLDER / kind).glob("*.yaml"))
    assert files
    for file in files:
        text = file.read_text(encoding="utf-8")
        first = text.splitlines()[0]
        named = first.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / named).resolve() == path.resolve()
        entry = json.loads(json.dumps(yaml.safe_load(text)))
        assert [error.message for error in validator.iter_errors(entry)] == []
        assert [line for line in text.splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("name", feed_names())
def test_editors_complete_a_feed_by_a_schema_that_accepts_it(name: str) -> None:
    """Its first line names the schema: a feed that lacks it is not completed and not checked."""
    from jsonschema import Draft202012Validator

    file = FEEDS_FOLDER / name / "feed.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.splitlines()[0] == schema_line(file.parent), f"{file}: the first line is missing"
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    entry = json.loads(json.dumps(yaml.safe_load(text), default=str))
    assert [one.message for one in Draft202012Validator(schema).iter_errors(entry)] == []
    for key, value in (
        ("expected_every_day", 7),
        ("table", "rejections"),
        ("map", {"record_id": {}}),
    ):
        assert list(Draft202012Validator(schema).iter_errors({**entry, key: value}))


def test_the_schema_of_editors_knows_a_rule_s_keys() -> None:
    from jsonschema import Draft202012Validator

    path = DOCS / "schemas/declarations/groups.schema.json"
    validator = Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
    for rule in (
        {"requires": "country"},
        {"required": "contry"},
        {"in_codelist": "country", "x": 1},
    ):
        entry = {"place": {"columns": ["country"], "rules": {"101": rule}}}
        assert list(validator.iter_errors(entry)), rule


def test_a_code_keeps_its_meaning(edit: Edit, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = "{in_codelist: incident_status}", "{in_codelist: weapon_kind}"
    old, new = (f"INC-311: {a}\n  INC-312: {b}" for a, b in ((first, second), (second, first)))
    edit("tables/incidents.yaml", old, new)
    codes = {problem.code for problem in rule_codes.problems(contracts())}
    assert codes == {"CON-401"}
    assert main(["--check"]) == 1
    assert "CON-401" in capsys.readouterr().out


def test_a_code_that_goes_is_retired_and_never_used_again(edit: Edit) -> None:
    edit("tables/incidents.yaml", "  INC-311: {in_codelist: incident_status}\n", "")
    assert [p.code for p in rule_codes.problems(contracts())] == ["CON-402"]
    line = "INC-311,incident_status_unknown_code,incident_status,"
    edit("rule_codes.csv", line, f"{line}9.0.0")
    assert rule_codes.problems(contracts()) == []
    edit(
        "tables/incidents.yaml",
        "  INC-312:",
        "  INC-311: {in_codelist: incident_status}\n  INC-312:",
    )
    assert [p.code for p in rule_codes.problems(contracts())] == ["CON-403"]


def test_no_line_of_the_list_of_codes_is_removed(edit: Edit) -> None:
    before = rule_codes.CODES_FILE.read_text(encoding="utf-8")
    assert rule_codes.removed(before) == []
    edit("rule_codes.csv", "INC-311,incident_status_unknown_code,incident_status,\n", "")
    assert [p.values["code"] for p in rule_codes.removed(before)] == ["INC-311"]
    assert rule_codes.with_new_codes(contracts()) == before


def test_a_contract_that_changed_asks_for_a_higher_version(edit: Edit) -> None:
    """A column that tables share changes the contract of each, and of no other."""
    was = {table: odcs.script(load_contract(table)) for table in table_names("data")}
    edit("fields/place.yaml", "Country where it happened", "The country where it happened")
    now = {table: odcs.script(load_contract(table)) for table in table_names("data")}
    with_place = {t for t in was if "admin1_code" in {c.name for c in load_contract(t).columns}}
    assert len(with_place) >= 4
    assert {t for t in was if history.is_unraised(was[t], now[t])} == with_place
    version = load_contract("incidents").version
    edit("tables/incidents.yaml", f"version: {version}", "version: 99.0.0")
    assert not history.is_unraised(was["incidents"], odcs.script(load_contract("incidents")))
    assert history.is_unraised(odcs.script(load_contract("incidents")), was["incidents"])
    assert not history.is_unraised(was["seizures"], f"# other words\n{was['seizures']}")


def test_what_is_committed_was_raised() -> None:
    assert problems(rendered()) == []


@pytest.mark.parametrize("code", words())
def test_problems_say_the_same_in_both_languages(code: str) -> None:
    english, french = words()[code].text.en, words()[code].text.fr
    names = [set(re.findall(r"(?<!\{)\{(\w+)\}", text)) for text in (english, french)]
    assert names[0] == names[1]
    assert english != french
    assert "'" not in french
    prose = re.sub(r"`[^`]*`|schemas/\S+|agreement: <nom>", "", french)
    assert not re.search(r"(?<!\u202f)[;?!]|(?<!\u00a0)[:»]|«(?!\u00a0)", prose)

"""`passerelle agreement list|check|explain|diff`: what is printed, in both languages; how it ends.

Not here: what is open (`tests/unit/release`) and what is wrong (`tests/unit/schemas`).
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli import main
from pipelines.cli.words import use
from schemas.agreement import AGREEMENTS_FOLDER

NAMES = sorted(path.stem for path in AGREEMENTS_FOLDER.glob("*.yaml"))
DAY = ("--as-of", "2026-11-22")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PASSERELLE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    for variable in ("PASSERELLE_AGREEMENTS", "PASSERELLE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    yield tmp_path / "home"
    use("en")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of agreements of one's own, which the installation uses."""
    folder = tmp_path / "agreements"
    shutil.copytree(AGREEMENTS_FOLDER, folder)
    monkeypatch.setenv("PASSERELLE_AGREEMENTS", str(folder))
    return folder


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["agreement", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _err = run(capsys, *arguments, "--json")
    assert code in (0, 3)
    return json.loads(out)


def test_list_names_them_with_their_state(capsys, mine):
    code, out, _err = run(capsys, "list", *DAY)
    assert code == 0
    assert all(name in out for name in NAMES)
    assert out.count("in force") == len(NAMES)
    states = {
        row["agreement"]: row["state"] for row in data(capsys, "list", "--as-of", "2034-06-30")
    }
    assert states["cod_monusco"] == "expired"
    assert states["caf_minusca"] == "in_force"
    states = {
        row["agreement"]: row["state"] for row in data(capsys, "list", "--as-of", "2026-01-10")
    }
    assert states["caf_minusca"] == "not_yet"


def test_check_passes_the_shipped_ones(capsys, mine):
    code, out, err = run(capsys, "check", *DAY)
    assert (code, err) == (0, "")
    assert out.count("good") == len(NAMES)


def test_check_names_file_line_and_what_to_do_in_the_language(capsys, mine):
    path = edit(mine / "cod_monusco.yaml", "protection_of_civilians, joint", "protecton, joint")
    code, out, _err = run(capsys, "check", str(path), *DAY, "--lang", "fr")
    assert code == 3
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "protecton" in text)
    assert f"AGR-202  cod_monusco.yaml:{line}: permits[0].purposes[0]" in out
    assert "erreur" in out
    assert "protection_of_civilians" in out


def test_check_goes_on_after_a_file_that_cannot_be_read(capsys, mine):
    edit(mine / "caf_minusca.yaml", "handling_ceiling", "handling_cieling")
    found = data(capsys, "check", *DAY)
    codes = {one["code"] for one in found if one["level"] == "error"}
    assert codes == {"AGR-106", "AGR-107"}
    assert all(
        re.match(r"caf_minusca\.yaml:\d+: ", one["where"])
        for one in found
        if one["level"] == "error"
    )
    assert {Path(one["file"]).stem for one in found} > {"caf_minusca"}


def test_a_folder_that_cannot_be_relied_on_opens_nothing(capsys, mine):
    edit(mine / "caf_minusca.yaml", "delay_days: 2", "delay_day: 2")
    code, out, err = run(capsys, "explain", "--recipient", "public", "--table", "incidents")
    assert (code, out) == (3, "")
    assert "AGR-106" in err
    assert "caf_minusca.yaml" in err


@pytest.mark.parametrize("language", ["en", "fr"])
def test_explain_says_what_leaves_what_is_hidden_and_what_stays(capsys, mine, language):
    asked = ("--recipient", "minusca_unpol", "--table", "incidents", "--purpose", "joint_planning")
    code, out, _err = run(capsys, "explain", *asked, *DAY, "--lang", language)
    assert code == 0
    for clause in ("caf_minusca/P1", "caf_minusca/P4", "caf_minusca/R1", "caf_minusca/P5"):
        assert clause in out
    headings = {
        "en": ("What leaves", "What providers hold back of it", "What does not leave, and why not"),
        "fr": ("Ce qui sort", "Ce que les fournisseurs en retiennent", "Ce qui ne sort pas"),
    }
    assert all(heading in out for heading in headings[language])


def test_explain_for_machines_has_the_clause_as_declared(capsys, mine):
    asked = ("--recipient", "public", "--table", "incidents")
    said = data(capsys, "explain", *asked, *DAY)
    assert [one["clause"] for one in said["permits"]] == [
        "public_statistics/P1",
        "public_statistics/P2",
    ]
    assert said["permits"][0]["declared"]["small_cell_threshold"] == 10
    assert said["nothing_because"] is None


def test_explain_says_that_nothing_leaves(capsys, mine):
    code, out, _err = run(capsys, "explain", "--recipient", "passerelle", "--table", "incidents")
    assert code == 0
    assert "Nothing of this table may leave" in out


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("--recipient", "nobody", "--table", "incidents"), "REL-101"),
        (("--recipient", "public", "--table", "incidents", "--purpose", "fun"), "REL-102"),
        (("--recipient", "public", "--table", "offences"), "REL-103"),
        (("--recipient", "public", "--table", "incidents", "--as-of", "soon"), "PSL-230"),
    ],
)
def test_explain_refuses_what_does_not_exist(capsys, mine, asked, code):
    ended, out, err = run(capsys, "explain", *asked)
    assert ended in (2, 3)
    assert out == ""
    assert code in err


def test_diff_says_what_widened_and_can_fail_for_it(capsys, mine, tmp_path):
    old = tmp_path / "old.d"
    shutil.copytree(mine, old)
    edit(mine / "caf_minusca.yaml", "delay_days: 2", "delay_days: 1")
    edit(mine / "ssd_unmiss.yaml", "small_cell_threshold: 5", "small_cell_threshold: 8")
    code, out, _err = run(capsys, "diff", str(old), str(mine))
    assert code == 0
    assert out.index("Wider") < out.index("delay_days") < out.index("Narrower")
    assert "small_cell_threshold" in out
    assert run(capsys, "diff", str(old), str(mine), "--fail-if-wider")[0] == 3
    one, other = (str(place / "ssd_unmiss.yaml") for place in (old, mine))
    assert run(capsys, "diff", one, other, "--fail-if-wider")[0] == 0
    assert {c["direction"] for c in data(capsys, "diff", one, other)} == {"narrower", "changed"}
    assert "No difference." in run(capsys, "diff", one, one)[1]


def test_diff_and_check_need_something_to_read(capsys, tmp_path):
    for arguments in (("diff", str(tmp_path), str(tmp_path)), ("check", str(tmp_path / "none"))):
        code, _out, err = run(capsys, *arguments)
        assert code == 2
        assert "PSL-231" in err

"""`extract`, `verify`, `key` as people type them; `verify` in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.core.settings import Settings
from pipelines.release.package.keys import PUBLIC_NAME
from pipelines.release.package.signature import PLACEHOLDER
from tests.conftest import passerelle_here
from tests.integration.releasing import AS_OF, home_beside

ASKED = (
    *("extract", "make", "incidents", "--recipient", "minusca_unpol"),
    *("--purpose", "joint_planning", "--as-of", AS_OF.isoformat()),
)


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory) -> Settings:
    return home_beside(demo_home, tmp_path_factory.mktemp("releasing") / "home")


def run(home: Settings, *arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    return passerelle_here(*arguments, home=home.home, **how)


@pytest.fixture(scope="module")
def made(home) -> dict[str, object]:
    return json.loads(run(home, *ASKED, "--json").stdout)


@pytest.fixture
def elsewhere(home, made, tmp_path) -> Path:
    """A folder with the zip and the public key, and nothing else of ours."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(str(made["file"]), folder / "extract.zip")
    shutil.copy(home.releases / PUBLIC_NAME, folder / PUBLIC_NAME)
    return folder


def check(folder: Path, *arguments: str, file: str = "extract.zip") -> tuple[int, str, str]:
    """Verify in `folder`, without a home; exit code, standard output, standard error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PASSERELLE_")}
    line = [sys.executable, "-m", "pipelines.cli", "verify", file, "--key", PUBLIC_NAME]
    done = subprocess.run(
        [*line, *arguments],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "200"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_an_extract_is_summed_up_in_both_languages(home, tmp_path):
    said = run(home, *ASKED, "--lang", "fr", "-o", str(tmp_path)).stdout
    for words in ("Planification conjointe", "caf_minusca/P1", "Confidentiel (TLP:AMBER)"):
        assert words in said
    [copy] = tmp_path.glob("*.zip")
    assert (home.releases / copy.name).read_bytes() == copy.read_bytes()
    with zipfile.ZipFile(copy) as archive:
        assert "LISEZ-MOI.html" in archive.namelist()
    assert "Joint planning" in run(home, *ASKED).stdout


def test_it_is_checked_offline_with_the_key_alone(made, elsewhere):
    code, said, _complaints = check(elsewhere)
    assert code == 0
    for words in ("Authentic and unchanged.", "MINUSCA UN Police", "caf_minusca/P1"):
        assert words in said
    assert "Authentique et intact." in check(elsewhere, "--lang", "fr")[1]
    data = json.loads(check(elsewhere, "--json")[1])
    assert data["is_authentic"] is True
    assert data["extract_id"] == made["extract_id"]
    assert data["sha256"] == made["sha256"]
    assert sorted(path.name for path in elsewhere.iterdir()) == ["extract.zip", PUBLIC_NAME]


@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_a_changed_byte_is_refused(elsewhere, place):
    file = elsewhere / "extract.zip"
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1
    file.write_bytes(content)
    code, said, complaints = check(elsewhere)
    assert (code, said) == (3, "")
    assert "VER-103" in complaints or "VER-101" in complaints or "VER-102" in complaints
    refused = json.loads(check(elsewhere, "--json", "--lang", "fr")[1])
    assert refused["error"].startswith("VER-1")


def test_hostile_zips_are_refused_unread(elsewhere):
    bomb = elsewhere / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = PLACEHOLDER
        archive.writestr("../../escaped.txt", b"x")
        with archive.open("manifest.json", "w") as stream:
            for _block in range(64):
                stream.write(b" " * 1024**2)
    code, _said, complaints = check(elsewhere, file="bomb.zip")
    assert (code, "VER-101" in complaints) == (3, True)
    assert not (elsewhere.parent / "escaped.txt").exists()
    (elsewhere / "other.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    assert check(elsewhere, file="other.zip")[0] == 3


def test_without_the_right_key_nothing_is_proved(home, elsewhere, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    passerelle_here("key", "export", str(elsewhere / PUBLIC_NAME), home=stranger)
    code, _said, complaints = check(elsewhere)
    assert (code, "VER-102" in complaints) == (3, True)
    (elsewhere / PUBLIC_NAME).write_text("no key", encoding="utf-8")
    code, _said, complaints = check(elsewhere)
    assert (code, "PSL-241" in complaints) == (2, True)
    (elsewhere / PUBLIC_NAME).unlink()
    assert check(elsewhere)[0] == 4
    empty = tmp_path / "empty"
    empty.mkdir()
    done = passerelle_here("verify", str(elsewhere / "extract.zip"), home=empty, check=False)
    assert (done.returncode, "PSL-240" in done.stderr) == (2, True)


def test_the_key_is_shown_and_handed_out(home, tmp_path):
    shown = json.loads(run(home, "key", "show", "--json").stdout)
    assert "PUBLIC KEY" in shown["pem"]
    assert shown["fingerprint"][:4] in run(home, "key", "show").stdout
    run(home, "key", "export", str(tmp_path / "k.pem"))
    assert (tmp_path / "k.pem").read_text(encoding="ascii") == shown["pem"]


def test_a_preview_makes_nothing(home):
    before = sorted(home.releases.iterdir()) if home.releases.exists() else []
    seen = json.loads(run(home, *ASKED, "--preview", "--json", "--format", "csv").stdout)
    assert seen["row_count"] > 100
    assert len(seen["rows"]) == 20
    said = run(home, *ASKED, "--preview", "--lang", "fr").stdout
    assert "Rien n’a été fait" in said
    after = sorted(home.releases.iterdir()) if home.releases.exists() else []
    assert before == after


@pytest.mark.parametrize(
    ("more", "code", "exit_code"),
    [
        (("--recipient", "minusca_unpl"), "REL-101", 3),
        (("--purpose", "public_information"), "REL-105", 3),
        (("--columns", "place_text"), "REL-106", 3),
        (("--format", "gpkg"), "REL-115", 3),
        (("--offence", "zz"), "REL-113", 3),
        (("--from", "2026-10-01", "--to", "2026-09-01"), "REL-112", 3),
        (("--from", "yesterday"), "PSL-230", 2),
    ],
)
def test_a_refusal_is_a_sentence_in_either_language(home, more, code, exit_code):
    for language in ("en", "fr"):
        done = run(home, *ASKED, *more, "--lang", language, check=False)
        assert done.returncode == exit_code
        assert done.stderr.startswith(code)
        assert "Traceback" not in done.stderr
    refused = json.loads(run(home, *ASKED, *more, "--json", check=False).stdout)
    assert refused["error"] == code


def test_selections_narrow_what_leaves(home, made):
    narrowed = json.loads(
        run(
            home,
            *ASKED,
            *("--from", "2026-06-01", "--to", "2026-08-31", "--offence", "02,05"),
            *("--columns", "record_id, occurred_on, offence_code", "--format", "csv", "--json"),
        ).stdout
    )
    assert 0 < narrowed["row_count"] < made["row_count"]
    names = [column["name"] for column in narrowed["columns"]]
    assert names == ["record_id", "occurred_on", "offence_code", "offence_code_label", "clause"]
    assert narrowed["asked"]["offences"] == ["02", "05"]


def test_the_demo_ends_with_an_extract_that_anybody_can_check(demo_home):
    [file] = demo_home.releases.glob("*.zip")
    done = passerelle_here("verify", str(file), home=demo_home.home)
    assert "Authentic and unchanged." in done.stdout

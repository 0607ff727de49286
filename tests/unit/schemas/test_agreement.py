"""Reading an agreement: what it must say, and how a file that does not say it is answered.

Not here: names that do not exist and missing protections (`test_agreement_check.py`), and the six
agreements that are shipped (`tests/contract/test_shipped_agreements.py`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.agreement import AGREEMENTS_FOLDER
from schemas.agreement_folder import fingerprint, load_agreement, load_agreements
from schemas.problem import AgreementError
from schemas.text import LANGUAGES

SHIPPED = AGREEMENTS_FOLDER / "caf_minusca.yaml"


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    return SHIPPED.read_text(encoding="utf-8").splitlines()


def refused(tmp_path: Path, text: str, name: str = "caf_minusca.yaml") -> AgreementError:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AgreementError) as caught:
        load_agreement(path)
    return caught.value


def edited(lines: list[str], old: str, new: str) -> tuple[str, int]:
    """The text with the first line that holds `old` changed, and the number of that line."""
    place = next(number for number, line in enumerate(lines) if old in line)
    changed = [*lines]
    changed[place] = lines[place].replace(old, new)
    return "\n".join(changed) + "\n", place + 1


def test_the_file_becomes_typed_clauses() -> None:
    agreement = load_agreement(SHIPPED)
    first = agreement.permits[0]
    assert first.full_name == "caf_minusca/P1"
    assert first.agreement == "caf_minusca"
    assert first.rows.handling_ceiling == "CONFIDENTIAL"
    assert first.rows.sensitive is False
    assert agreement.valid_until == dt.date(2035, 12, 31)
    assert agreement.restrictions[0].full_name == "caf_minusca/R1"
    assert hash(first) == hash(load_agreement(SHIPPED).permits[0])


def test_it_is_in_force_on_its_first_and_its_last_day() -> None:
    agreement = load_agreement(SHIPPED)
    one = dt.timedelta(days=1)
    assert agreement.is_in_force(agreement.valid_from)
    assert agreement.is_in_force(agreement.valid_until)
    assert not agreement.is_in_force(agreement.valid_from - one)
    assert not agreement.is_in_force(agreement.valid_until + one)


@pytest.mark.parametrize(
    ("edit", "code", "path"),
    [
        (
            ("handling_ceiling:", "handling_ceilling:"),
            "AGR-106",
            "permits[0].rows.handling_ceilling",
        ),
        (("version: 1.1.0", "version: 1.1.0\nzzzz: 1"), "AGR-105", "zzzz"),
        (("    delay_days: 2", "    # nothing"), "AGR-107", "permits[0].delay_days"),
        (("area: admin1", "area: village"), "AGR-108", "permits[0].precision.area"),
        (("clause: P1", "clause: first"), "AGR-109", "permits[0].clause"),
        (("delay_days: 2", "delay_days: -1"), "AGR-110", "permits[0].delay_days"),
        (
            ("parties: [caf_police, caf_gendarmerie, minusca_unpol]", "parties: []"),
            "AGR-111",
            "parties",
        ),
        (("signed_on: 2026-01-15", "signed_on: soon"), "AGR-112", "signed_on"),
        (("delay_days: 2", "delay_days: two"), "AGR-112", "permits[0].delay_days"),
        (('offences: ["01"', "offences: [01"), "AGR-112", "permits[2].rows.offences[0]"),
        (("onward: {allowed: false,", "onward: {allowed: maybe,"), "AGR-112", "permits[0].onward"),
        (("countries: [CAF]", "countries: CAF"), "AGR-112", "permits[0].rows.countries"),
    ],
)
def test_a_mistake_is_named_with_its_file_line_and_path(
    lines: list[str], tmp_path: Path, edit: tuple[str, str], code: str, path: str
) -> None:
    text, line = edited(lines, *edit)
    error = refused(tmp_path, text)
    found = [one for one in error.problems if one.code == code]
    assert found, error
    assert path in found[0].where
    assert found[0].where.startswith("caf_minusca.yaml:")
    # A key that is missing is looked for where its clause begins; any other is on its line.
    said = int(found[0].where.split(":")[1])
    assert said == line + edit[1].count("\n") or code == "AGR-107"
    for language in LANGUAGES:
        assert found[0].text(language)
    assert found[0].text("en") != found[0].text("fr")


def test_a_near_key_is_suggested_and_the_known_ones_are_listed(
    lines: list[str], tmp_path: Path
) -> None:
    text, _line = edited(lines, "handling_ceiling:", "handling_ceilling:")
    [unknown] = [one for one in refused(tmp_path, text).problems if one.code == "AGR-106"]
    assert "“handling_ceiling”" in unknown.text("en")
    assert "except_offences" in unknown.text("fr")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "AGR-103"), ("- a\n- b\n", "AGR-103"), ("a: [b\n", "AGR-102"), ("a: *b\n", "AGR-102")],
)
def test_a_file_that_is_no_agreement(tmp_path: Path, text: str, code: str) -> None:
    assert [one.code for one in refused(tmp_path, text).problems] == [code]


@pytest.mark.parametrize("text", ["agreement: &a [*a]\n", "agreement: &a {b: *a}\n"])
def test_a_thing_within_itself_is_answered(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text).problems


def test_bytes_that_are_no_text_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "caf_minusca.yaml"
    path.write_bytes(b"agreement: caf\xe9\n")
    with pytest.raises(AgreementError, match="AGR-102"):
        load_agreement(path)


def test_the_file_is_named_as_the_agreement(tmp_path: Path) -> None:
    error = refused(tmp_path, SHIPPED.read_text(encoding="utf-8"), "other.yaml")
    assert [one.code for one in error.problems] == ["AGR-104"]


def test_an_absent_file_is_answered(tmp_path: Path) -> None:
    with pytest.raises(AgreementError, match="AGR-101"):
        load_agreement(tmp_path / "none.yaml")


def test_yaml_tags_run_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    text = f"agreement: !!python/object/apply:pathlib.Path.touch [{marker}]\n"
    assert [one.code for one in refused(tmp_path, text).problems] == ["AGR-102"]
    assert not marker.exists()


def test_one_file_that_cannot_be_relied_on_closes_the_folder(tmp_path: Path) -> None:
    """A restriction may stand in the file that is not understood: so nothing is opened."""
    files = list(AGREEMENTS_FOLDER.glob("*.yaml"))
    for path in files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert len(load_agreements(tmp_path)) == len(files) > 1
    (tmp_path / "zz.yaml").write_text("agreement: zz\n", encoding="utf-8")
    with pytest.raises(AgreementError) as caught:
        load_agreements(tmp_path)
    assert {one.where.split(":")[0] for one in caught.value.problems} == {"zz.yaml"}
    assert caught.value.text("fr") != caught.value.text("en")


def test_a_key_that_stands_twice_is_refused(lines: list[str], tmp_path: Path) -> None:
    """YAML would keep the last: a second `restrictions` would take the first ones away."""
    text = "\n".join(lines) + "\nrestrictions: []\n"
    [twice] = refused(tmp_path, text).problems
    assert twice.code == "AGR-113"
    assert twice.where == f"caf_minusca.yaml:{len(lines) + 1}: restrictions"
    text, line = edited(lines, "    delay_days: 2", "    delay_days: 2\n    delay_days: 0")
    [twice] = refused(tmp_path, text).problems
    assert (twice.code, twice.where) == ("AGR-113", f"caf_minusca.yaml:{line + 1}: delay_days")


def test_a_file_that_would_be_passed_over_closes_the_folder(tmp_path: Path) -> None:
    (tmp_path / "caf_minusca.yml").write_bytes(SHIPPED.read_bytes())
    with pytest.raises(AgreementError, match="AGR-114"):
        load_agreements(tmp_path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "caf_minusca.yaml"
    raw: dict[str, Any] = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    for version in ("1.0.0", "1.1.0", "2.10.0"):
        raw["version"] = version
        path.write_text(yaml.safe_dump(raw), encoding="utf-8")
        assert load_agreement(path).version == version


def test_a_fingerprint_is_the_version_and_the_hash_of_the_file(tmp_path: Path) -> None:
    content = SHIPPED.read_bytes()
    (tmp_path / "caf_minusca.yaml").write_bytes(content)
    (tmp_path / "broken.yaml").write_bytes(b"\xff: [")
    assert fingerprint(tmp_path) == {
        "broken": ("?", hashlib.sha256(b"\xff: [").hexdigest()),
        "caf_minusca": ("1.1.0", hashlib.sha256(content).hexdigest()),
    }
    assert fingerprint(tmp_path / "none") == {}


def test_an_empty_folder_permits_nothing(tmp_path: Path) -> None:
    assert load_agreements(tmp_path) == []

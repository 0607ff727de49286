"""Every code means one thing, has words in both languages, and ends a command as its kind does."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest

import pipelines
from pipelines.cli import errors
from pipelines.core.errors import WORDS, CodedError, Words, coded, declare
from pipelines.core.findings import DeliveryError, Finding
from pipelines.jobs.queue import BROKEN
from pipelines.jobs.worker import _fault
from pipelines.lake.errors import LakeBusyError
from pipelines.release.errors import KeyFileError, ReleaseError
from schemas import problem
from schemas.contract import all_rules
from schemas.problem import AgreementError, AgreementProblem

for module in pkgutil.walk_packages(pipelines.__path__, "pipelines."):
    if module.name.endswith(("errors", ".queue")):
        importlib.import_module(module.name)

KINDS = {"ACC", "BAK", "JOB", "LED", "PSL", "REL", "SQL", "UPL", "VER"}


def error_of(key: str) -> CodedError:
    """An error of that code and case, whose values are all there."""
    told = WORDS[key]
    names = {name for part in (told.sentence, told.hint) for _, name, *_ in Formatter().parse(part)}
    code, _, case = key.partition(" ")
    error = CodedError(code, case)
    error.values.update({name: "x" for name in names if name})
    return error


@pytest.mark.parametrize("key", WORDS)
def test_a_code_has_its_words_in_both_languages(key):
    assert re.fullmatch(r"[A-Z]{3}-[1-5]\d\d( \w+)?", key)
    error = error_of(key)
    assert error.text("en") not in ("", error.text("fr"))
    assert error.hint("en") == error.hint("fr") == "" or error.hint("en") != error.hint("fr")
    assert "{" not in error.text("fr") + error.hint("fr")
    assert str(error) == f"{error.code}: {error.text('en')}"


def test_no_code_means_two_things():
    """Each part has its own letters; what is declared twice is refused."""
    mine = {key.split()[0] for key in WORDS}
    assert {code[:3] for code in mine} >= KINDS
    below = {*all_rules(), *problem.words()}
    assert {code[:3] for code in mine}.isdisjoint(code[:3] for code in below)
    with pytest.raises(ValueError, match="LED-404 means something else already"):
        declare({"LED-404": "Another sentence."})
    declare({"LED-404": WORDS["LED-404"]})


def test_every_code_of_a_command_is_registered_and_used():
    """A new sentence under a code that is about something else is seen where the codes stand."""
    folder = Path(pipelines.__path__[0])
    sources = [path for path in folder.rglob("*.py") if path != Path(errors.__file__)]
    used = {
        code for path in sources for code in re.findall(r'"(PSL-\d{3})', path.read_text("utf-8"))
    }
    others = {key.split()[0] for key in WORDS if key.startswith("PSL-")}
    assert used - others == set(errors.CODES)
    assert others.isdisjoint(errors.CODES)
    assert len(set(errors.CODES.values())) == len(errors.CODES)


def subclasses(kind: type) -> set[type]:
    """All kinds below it."""
    return {kind, *(deeper for one in kind.__subclasses__() for deeper in subclasses(one))}


def test_what_a_person_sees_is_called_an_error():
    assert [one for one in subclasses(CodedError) if not one.__name__.endswith("Error")] == []


@pytest.mark.parametrize(
    ("code", "ends"), [("ACC-101", 2), ("ACC-401", 4), ("BAK-301", 3), ("LED-401", 4)]
)
def test_a_command_ends_as_the_number_begins(code, ends):
    assert CodedError(code).exit_code == ends


def test_several_things_are_said_one_by_one():
    refused = DeliveryError([Finding("DEL-706", {"file_name": "a.csv"}), Finding("DEL-705")])
    assert [one.code for one in refused.said("fr")] == ["DEL-706", "DEL-705"]
    assert str(refused) == "DEL-706, DEL-705"
    assert refused.exit_code == 3


def test_what_schemas_refuse_has_codes_too():
    wrong = AgreementProblem("AGR-113", "a.yaml:3", {"key": "terms"})
    told = coded(AgreementError([wrong]))
    assert told is not None
    assert told.exit_code == 3
    assert told.said("en")[0].text.startswith("a.yaml:3: ")
    assert told.http_status == 0
    assert coded(ValueError("x")) is None


def test_an_error_crosses_processes():
    """As it was: its words are said where it arrives."""
    error = CodedError("ACC-102", field="name", name="somebody")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (again.text("fr"), again.field) == (error.text("fr"), "name")
    refused = DeliveryError(Finding("DEL-706", {"file_name": "a.csv"}))
    assert pickle.loads(pickle.dumps(refused)).findings == refused.findings  # noqa: S301


def test_a_status_is_said_with_the_code_or_with_its_kind():
    class OneError(CodedError):
        kind_status = 422

    assert OneError("LED-404").http_status == 422
    WORDS["TST-101"] = Words("x", http_status=429)
    try:
        assert OneError("TST-101").http_status == 429
    finally:
        del WORDS["TST-101"]


def test_what_only_the_installation_can_mend_is_no_answer_to_whoever_asked():
    """Its words name our places, and a job's owner can do nothing about it."""

    def kept(error: CodedError) -> dict[str, Any]:
        with pytest.raises(CodedError) as raised:
            raise error
        return _fault(SimpleNamespace(id="abcdef0", kind="extract"), raised.value)

    assert kept(LakeBusyError("busy", place="/srv", seconds=9)) == {"fault": BROKEN}
    assert kept(KeyFileError("PSL-412", file="/srv/key")) == {"fault": BROKEN}
    told = kept(ReleaseError("REL-115", format="geojson"))
    assert told["code"] == "REL-115"
    assert told["refusal"]["en"].endswith("Choose CSV, XLSX or Parquet.")

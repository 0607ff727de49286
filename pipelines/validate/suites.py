"""A contract's suites as Great Expectations objects: suite, validation definition, checkpoint.

Not here: which expectations there are (`schemas/render/expectations.py`), what a run concludes.
Importing this module imports Great Expectations: import it inside the function that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import great_expectations as gx
from great_expectations.core.freshness_diagnostics import (
    CheckpointFreshnessDiagnostics,
    ExpectationSuiteFreshnessDiagnostics,
    ValidationDefinitionFreshnessDiagnostics,
)
from great_expectations.expectations.registry import get_expectation_impl

from pipelines.validate.expectations import COUNTING, OWN, RESULT_FORMAT
from schemas.contract import Contract
from schemas.render.expectations import (
    REASONS,
    ROW_COUNT,
    Expectation,
    accepted_suite,
    quarantined_suite,
    together_suite,
)

ACCEPTED, QUARANTINED, TOGETHER = "accepted", "quarantined", "together"


# Great Expectations compares each of these with its stored copy before each run, four times over
# (half of the cost of a small delivery). Ours are made from a contract and never changed.
class FixedSuite(gx.ExpectationSuite):
    """A suite that stays as it was made."""

    def is_fresh(self) -> ExpectationSuiteFreshnessDiagnostics:
        """Always."""
        return ExpectationSuiteFreshnessDiagnostics(errors=[])


class FixedDefinition(gx.ValidationDefinition):
    """A validation definition that stays as it was made."""

    def is_fresh(self) -> ValidationDefinitionFreshnessDiagnostics:
        """Always."""
        return ValidationDefinitionFreshnessDiagnostics(errors=[])


class FixedCheckpoint(gx.Checkpoint):
    """A checkpoint that stays as it was made."""

    def is_fresh(self) -> CheckpointFreshnessDiagnostics:
        """Always."""
        return CheckpointFreshnessDiagnostics(errors=[])


def make_checkpoint(context: Any, datasource: Any, contract: Contract) -> FixedCheckpoint:
    """The checkpoint of a contract: three definitions, over the views of the two files."""
    suites = {
        ACCEPTED: accepted_suite(contract),
        QUARANTINED: quarantined_suite(contract),
        TOGETHER: together_suite(contract),
    }
    definitions: list[gx.ValidationDefinition] = [
        _definition(context, datasource, f"{contract.table}-{contract.version}_{view}", view, suite)
        for view, suite in suites.items()
    ]
    checkpoint = FixedCheckpoint(
        name=f"{contract.table}-{contract.version}",
        validation_definitions=definitions,
        result_format=RESULT_FORMAT,
    )
    context.checkpoints.add(checkpoint)  # its answer is a copy of the parent class
    return checkpoint


def _definition(
    context: Any, datasource: Any, name: str, view: str, suite: Iterable[Expectation]
) -> FixedDefinition:
    if view not in datasource.get_asset_names():
        datasource.add_table_asset(view, table_name=view)
    batch = datasource.get_asset(view).add_batch_definition_whole_table(name)
    expectations = [_expectation(entry, view) for entry in suite]
    fixed = FixedSuite(name=name, expectations=expectations)
    context.suites.add(fixed)
    definition = FixedDefinition(name=name, data=batch, suite=fixed)
    context.validation_definitions.add(definition)
    return definition


def _expectation(entry: Expectation, view: str) -> Any:
    """The Great Expectations object of one declared expectation, in its counting form."""
    kwargs, meta = dict(entry["kwargs"]), dict(entry["meta"])
    if entry["type"] in OWN:
        return OWN[entry["type"]](**kwargs, meta=meta)
    if entry["type"] == ROW_COUNT:
        return get_expectation_impl(ROW_COUNT)(**kwargs, meta=meta)
    if column := meta.get("counts_in"):
        expected = _expected(meta["code"], column, view)
        kwargs |= {"code": meta["code"], "counts_in": column, "expected_count": expected}
    return COUNTING[entry["type"]](**kwargs, meta=meta)


def _expected(code: str, column: str, view: str) -> Any:
    """How many rows must fail: none, or the number that the router handed over.

    None stands for *as many as the file records*: no number is handed over for the warnings of
    quarantined rows.
    """
    if column == REASONS:
        return 0 if view == ACCEPTED else _parameter(code)
    return _parameter(code) if view == ACCEPTED else None


def parameter_name(code: str) -> str:
    """The name under which a rule's count is handed to a run; a hyphen would be a minus."""
    return code.replace("-", "_")


def _parameter(code: str) -> dict[str, str]:
    return {"$PARAMETER": parameter_name(code)}

"""The contract's expectations in a form that only counts, so that no cell can reach a result.

Not here: which expectations a contract has (`schemas/render/expectations.py`). Importing this
module imports Great Expectations: import it inside the function that uses it.

Each class is Great Expectations' own expectation, with its own predicate (its *map metric*), minus
the query that fetches unexpected values, plus the count that the rule must give. What remains is
one aggregate an expectation, and Great Expectations puts all aggregates of a batch in one query.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.id_dict import IDDict
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.expectations.registry import get_expectation_impl, get_metric_kwargs
from great_expectations.render.components import (
    LegacyRendererType,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.renderer import renderer
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from schemas.render.expectations import AUDIT_CODE
from schemas.rules import UNEXPECTED_ROWS_PREFIX, VOCABULARY

Metrics = dict[str, Any]
# Nothing but counts: any other format would write cells into results and pages.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
TALLY = "table.code_tally"
DESCRIBED = "table.described_columns"
COUNTED_ROWS = "unexpected_rows_query.counted"
REPEATED_ROWS = "column_values.repeated_rows"
# What Great Expectations evaluates for a row by row predicate, and we instead.
_OWN_METRICS = {"column_values.unique": REPEATED_ROWS}


class _CountedRows(TableMetricProvider):  # registers itself with Great Expectations
    """Rows for which the condition of an unexpected-rows query is true: an int, no row fetched."""

    metric_name = COUNTED_ROWS
    value_keys = ("unexpected_rows_query",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805  (Great Expectations hands it over by this name)
        metric_domain_kwargs: Metrics,
        metric_value_kwargs: Metrics,
        **_: Any,
    ) -> tuple[Any, Metrics, Metrics]:
        query = metric_value_kwargs["unexpected_rows_query"]
        condition: Any = sa.literal_column(f"({query.removeprefix(UNEXPECTED_ROWS_PREFIX)})")
        return sa.func.count().filter(condition), metric_domain_kwargs, {}


class _RepeatedRows(TableMetricProvider):
    """Rows whose value of a column another row has too, missing values left out: an int.

    Great Expectations counts them with a window, which keeps the delivery in memory: 700 MB at 10
    million rows. Groups take a third of the time and spill.
    """

    metric_name = REPEATED_ROWS
    value_keys = ("column",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: Metrics,
        metric_value_kwargs: Metrics,
        **_: Any,
    ) -> int:
        rows = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        column: Any = sa.column(metric_value_kwargs["column"])
        number = sa.func.count()
        groups = sa.select(number.label("rows")).select_from(rows).where(column.is_not(None))
        repeated = groups.group_by(column).having(number > 1).subquery()
        query = sa.select(sa.func.sum(repeated.c.rows))
        return int(execution_engine.execute_query(query).scalar() or 0)


class _CodeTally(TableMetricProvider):
    """How often each code occurs in a list column of codes: {code: occurrences}."""

    metric_name = TALLY
    value_keys = ("counts_in",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: Metrics,
        metric_value_kwargs: Metrics,
        **_: Any,
    ) -> dict[str, int]:
        rows = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        codes = sa.func.unnest(sa.column(metric_value_kwargs["counts_in"])).label("code")
        listed = sa.select(codes).select_from(rows).subquery()
        query = sa.select(listed.c.code, sa.func.count()).group_by(listed.c.code)
        return dict(execution_engine.execute_query(query).fetchall())


class _DescribedColumns(TableMetricProvider):
    """Name and DuckDB type of each column in order: ["name TYPE", …]."""

    metric_name = DESCRIBED

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,  # noqa: N805
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: Metrics,
        **_: Any,
    ) -> list[str]:
        rows = execution_engine.get_domain_records(domain_kwargs=metric_domain_kwargs)
        query = sa.select(sa.text("*")).select_from(rows)
        sql = str(query.compile(execution_engine.engine, compile_kwargs={"literal_binds": True}))
        described = execution_engine.execute_query(sa.text(f"DESCRIBE {sql}")).fetchall()
        return [f"{row[0]} {row[1]}" for row in described]


class ExpectTableColumnsToFollowContract(BatchExpectation):
    """The contract's columns, in order and with its types; others only where they are `allowed`."""

    columns: list[str]
    required: list[str] = []  # noqa: RUF012  (a field of the model)
    allowed: list[str] = []  # noqa: RUF012

    metric_dependencies: ClassVar[tuple[str, ...]] = (DESCRIBED,)
    success_keys: ClassVar[tuple[str, ...]] = ("columns", "required", "allowed")

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        return [_words(_of(configuration, result))]

    def _validate(self, metrics: Metrics, *_: Any, **__: Any) -> Metrics:
        found: list[str] = metrics[DESCRIBED]
        wanted = {column.split()[0] for column in self.columns}
        others = {column.split()[0] for column in found} - wanted
        follow = [column for column in found if column.split()[0] in wanted] == self.columns
        wrong = [column for column in self.columns if column not in found]
        wrong += sorted(set(self.required) - others)
        wrong += sorted(others - set(self.required) - set(self.allowed))
        return {
            "success": follow and not wrong,
            "result": {"observed_value": len(found), "details": {"wrong_columns": wrong}},
        }


def _dependencies(self: Any, metric: str) -> ValidationDependencies:
    """What a counting expectation needs: its count, and the code tally where codes are kept."""
    keys = get_metric_kwargs(metric)
    domain = IDDict({key: getattr(self, key, None) for key in keys["metric_domain_keys"]})
    value = IDDict({key: getattr(self, key, None) for key in keys["metric_value_keys"]})
    metrics = {metric: MetricConfiguration(metric, domain, value)}
    if self.counts_in:
        batch, listed = IDDict(batch_id=self.batch_id), IDDict(counts_in=self.counts_in)
        metrics[TALLY] = MetricConfiguration(TALLY, batch, listed)
    return ValidationDependencies(metrics, RESULT_FORMAT)


def _of(configuration: Any, result: Any) -> Any:
    """The configuration; pages of results hand it over inside the result."""
    return configuration or result.expectation_config


def _words(configuration: Any) -> RenderedStringTemplateContent:
    """The rule's code and message, as the contract words them."""
    code = configuration.meta["code"]
    params = {"code": "" if code == AUDIT_CODE else f"{code} · "}
    params["says"] = configuration.meta["says"]
    template = {"template": "$code$says", "params": params, "tag": "p"}
    template["styling"] = {"params": {"code": {"classes": ["code"]}}}
    return RenderedStringTemplateContent(
        content_block_type="string_template", string_template=template
    )


def _seen(result: Any) -> str:
    """What was counted, beside what was expected where that differs."""
    values = result.result if result else {}
    if "unexpected_count" not in values:
        return "not evaluated"
    counted = values["unexpected_count"]
    others = {values.get(key, counted) for key in ("expected_count", "recorded_count")} - {counted}
    return f"{counted:,}" + "".join(f" ≠ {other:,}" for other in sorted(others))


def _judge(self: Any, metric: str, metrics: Metrics) -> Metrics:
    """Success where the count is the one recorded in the file and the one that was handed over."""
    counted = int(metrics[metric] or 0)  # SQL's sum over no row is NULL
    result: Metrics = {"unexpected_count": counted}
    if self.expected_count is not None:
        result["expected_count"] = self.expected_count
    if self.counts_in:
        result["recorded_count"] = int(metrics[TALLY].get(self.code, 0))
    return {"success": len(set(result.values())) == 1, "result": result}


def _fields() -> Metrics:
    """The fields that a counting expectation adds: what it must count, and where that is kept."""
    return {
        "__annotations__": {"expected_count": Any, "counts_in": str, "code": str},
        "__module__": __name__,
        "expected_count": 0,
        "counts_in": "",
        "code": "",
    }


def _counting(native: type[Any]) -> type[Any]:
    """The counting form of one of Great Expectations' expectations."""
    mapped = getattr(native, "map_metric", None)
    metric = f"{mapped}.unexpected_count" if mapped else COUNTED_ROWS
    metric = _OWN_METRICS.get(mapped or "", metric)

    def configuration(self: Any) -> Any:
        # The parent rebuilds it at each of forty readings; during a run nothing can change it.
        if self.batch_id is None:
            return native.configuration.fget(self)
        if self._kept is None:
            self._kept = native.configuration.fget(self)
        return self._kept

    def get_validation_dependencies(self: Any, *_: Any, **__: Any) -> ValidationDependencies:
        return _dependencies(self, metric)

    def _validate(self: Any, metrics: Metrics, **_: Any) -> Metrics:
        return _judge(self, metric, metrics)

    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls: Any, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> Any:
        native_words = native._prescriptive_renderer(configuration, result, runtime_configuration)
        return [_words(_of(configuration, result)), *native_words]

    namespace = _fields() | {
        "_prescriptive_renderer": classmethod(_prescriptive_renderer),
        "_get_observed_value_from_evr": classmethod(lambda cls, result: _seen(result)),
        "__doc__": f"{native.__name__}, counted and compared; no value is fetched.",
        "_kept": PrivateAttr(None),
        "configuration": property(configuration),
        "get_validation_dependencies": get_validation_dependencies,
        "_validate": _validate,
        "success_keys": (*native.success_keys, "expected_count", "counts_in", "code"),
    }
    return type(f"Counted{native.__name__}", (native,), namespace)


COUNTING: dict[str, type[Any]] = {
    kind: _counting(get_expectation_impl(kind)) for kind in sorted(VOCABULARY)
}
OWN: dict[str, type[Any]] = {
    kind.expectation_type: kind for kind in (ExpectTableColumnsToFollowContract,)
}

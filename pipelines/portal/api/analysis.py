"""Operations on the dictionary and the SQL box."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Query, Request

from pipelines.accounts.permissions import Person
from pipelines.portal.api import models
from pipelines.portal.api.problems import ProblemRoute, refusals
from pipelines.portal.security.limits import limited
from pipelines.portal.services import dictionary
from pipelines.portal.sql import boxes
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.request import settings_of
from schemas.contract import Contract, load_contract, table_names
from schemas.organisation import organisations

router = APIRouter(route_class=ProblemRoute, tags=["Dictionary and SQL"])


@router.get("/me", responses=refusals(), tags=["Yourself"])
def read_me(person: Person = Depends(allowed("dictionary.read"))) -> models.Me:
    """Whose token this is and what it may do."""
    known = organisations().get(person.organisation)
    return models.Me(
        name=person.name,
        organisation=person.organisation,
        organisation_label=models.words(known.label) if known else None,
        roles=list(person.roles),
        scopes=sorted(person.actions),
        language=person.language,
    )


@router.post("/dictionary/searches", responses=refusals())
def search_dictionary(
    asked: models.DictionarySearch,
    person: Person = Depends(allowed("dictionary.read")),
) -> models.Hits:
    """Find a column by its words in either language, or by what a service calls it."""
    found = dictionary.search(asked.q, asked.table)
    return models.Hits(
        items=[
            models.Hit(
                table=hit.contract.table if hit.contract else "",
                column=hit.column.name if hit.column else "",
                label=_label(hit),
                description=_description(hit),
                why=hit.why,
                matched=hit.matched,
                sources=[_source(use) for use in hit.feeds],
            )
            for hit in found.hits
        ],
        total=found.total,
        suggestions=found.suggestions,
    )


def _label(hit: dictionary.Found) -> models.Words | None:
    if hit.column:
        return models.words(hit.column.label)
    return models.words(hit.contract.title) if hit.contract else None


def _description(hit: dictionary.Found) -> models.Words | None:
    about = hit.column or hit.contract
    return models.words(about.description) if about else None


def _source(use: dictionary.SourceUse) -> models.SourceColumn:
    return models.SourceColumn(
        feed=use.feed,
        source_column=use.source_column,
        reason=models.words(use.reason) if use.reason else None,
    )


@router.get("/dictionary/{table}", responses=refusals())
def read_table(table: str, person: Person = Depends(allowed("dictionary.read"))) -> models.Table:
    """One table and what each of its columns means."""
    if table not in table_names():
        not_found()
    contract = load_contract(table)
    return models.Table(
        table=table,
        title=models.words(contract.title),
        description=models.words(contract.description),
        version=contract.version,
        kind=contract.kind,
        columns=[_column(contract, column.name) for column in contract.published],
    )


def _column(contract: Contract, name: str) -> models.Column:
    column = contract.column(name)
    return models.Column(
        name=name,
        label=models.words(column.label),
        description=models.words(column.description),
        type=column.duckdb_type,
        is_required=column.is_required,
        unit=column.unit,
        codelist=column.codelist,
        handling=column.classification,
        hxl=column.hxl,
        sources=[_source(use) for use in dictionary.source_uses(contract.table, name)],
        rules=[rule.code for rule in dictionary.rules_about(contract, column)],
    )


@router.get("/codelists/{name}", responses=refusals())
def read_codelist(
    name: str,
    page: int = Query(1, ge=1, le=1_000_000),
    person: Person = Depends(allowed("dictionary.read")),
) -> models.Page[models.Code]:
    """The codes of a list."""
    return _codes(name, "", page)


@router.post("/codelists/{name}/searches", responses=refusals())
def search_codelist(
    name: str,
    asked: models.CodeSearch,
    person: Person = Depends(allowed("dictionary.read")),
) -> models.Page[models.Code]:
    """The codes of a list whose words hold `q`."""
    return _codes(name, asked.q, asked.page)


def _codes(name: str, q: str, page: int) -> models.Page[models.Code]:
    try:
        found = dictionary.codes_of(name, q, page)
    except KeyError:
        not_found()
    items = [
        models.Code(
            code=row["code"],
            parent=row["parent"],
            label=models.Words(en=row["label_en"], fr=row["label_fr"]),
        )
        for row in found.rows
    ]
    return models.Page(items=items, total=found.total, page=found.page, pages=found.pages)


@router.get("/sql/tables", responses=refusals())
def list_sql_tables(
    request: Request,
    purpose: str = Query(
        min_length=1, max_length=120, pattern=models.CODE, examples=["joint_planning"]
    ),
    person: Person = Depends(allowed("sql.run")),
) -> list[models.SqlRelation]:
    """The tables that may be asked about for a purpose; none where nothing is open for it."""
    open_now = boxes.opened(settings_of(request), person.organisation)
    return [
        models.SqlRelation(name=one.name, title=models.words(one.title), columns=list(one.columns))
        for one in boxes.relations(open_now, purpose)
    ]


@router.post("/sql", responses=refusals(), dependencies=[Depends(limited("sql"))])
def ask_in_sql(
    request: Request, asked: models.SqlQuery, person: Person = Depends(allowed("sql.run"))
) -> models.SqlAnswer:
    """Ask one SELECT over the records that agreements open to your organisation."""
    settings = settings_of(request)
    open_now = boxes.opened(settings, person.organisation)
    answer = boxes.ask(settings, open_now, asked.question, purpose=asked.purpose, actor=person.name)
    return models.SqlAnswer(
        columns=answer.columns,
        types=answer.types,
        rows=answer.rows,
        is_cut=answer.is_cut,
        elapsed_ms=answer.elapsed_ms,
        handling=boxes.handling(open_now, asked.purpose, answer.relations),
    )

"""The analyst's pages: the dictionary, open to everybody signed in, and the SQL box.

Not here: searching (`portal/dictionary.py`) and answering a question (`portal/sqlbox`).
"""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse

from pipelines.i18n import mark
from pipelines.portal import dictionary, forms
from pipelines.portal.security.limits import check_rate
from pipelines.portal.sqlbox import boxes, fence, run, samples
from pipelines.portal.sqlbox.refusals import SqlRefused
from pipelines.portal.sqlbox.worker import Answer, Task
from pipelines.portal.web import Person, allowed, language_of, not_found, page, settings_of
from pipelines.portal.words import _
from schemas.agreement_problem import AgreementError
from schemas.codelist import codelist_names
from schemas.contract import Column, Contract, load_contract, table_names
from schemas.organisation import purposes as all_purposes

router = APIRouter()
CODES_BESIDE_A_COLUMN = 30


UNITS = {
    "person": mark("persons"),
    "degree": mark("degrees"),
    "row": mark("rows"),
    "piece": mark("pieces"),
    "byte": mark("bytes"),
    "year": mark("years"),
    "day": mark("days"),
    "hour": mark("hours"),
}


def unit_words(unit: str) -> str:
    """A unit of measure in words; kg and USD are the same in both languages."""
    return _(UNITS[unit]) if unit in UNITS else unit


@router.get("/dictionary")
def search(request: Request, person: Person = Depends(allowed("dictionary.read"))) -> HTMLResponse:
    """Search, or all tables and lists."""
    form = forms.asked(request)
    form.values = {k: [v[0][:200]] for k, v in form.values.items()}
    asked = form.value("q").strip()
    table = form.value("table") if form.value("table") in table_names() else ""
    language = language_of(request)
    contracts = [load_contract(name) for name in table_names()]
    return page(
        request,
        "analyst/dictionary.html",
        form=form,
        results=dictionary.search(asked, table) if asked else None,
        contracts=contracts,
        codelists=codelist_names(),
        tables=[(one.table, one.title[language]) for one in contracts],
        reason=lambda hit: _reason(hit, language),
        unit_words=unit_words,
    )


def _reason(hit: dictionary.Found, language: str) -> str:
    """Why a search led to a column, in words."""
    if hit.why == "source":
        feeds = ", ".join(dict.fromkeys(use.title[language] for use in hit.feeds))
        return _("“{name}” in the files of: {feeds}", name=hit.matched, feeds=feeds)
    if hit.why == "code":
        return _("one of its values: “{name}”", name=hit.matched)
    if hit.why == "list":
        return _("its code list: {name}", name=hit.matched)
    if hit.why == "description":
        return _("its description")
    if hit.why == "tag":
        return _("its HXL tag: {name}", name=hit.matched)
    return _("its name: “{name}”", name=hit.matched)


@router.get("/dictionary/lists/{name}")
def codelist(
    request: Request, name: str, person: Person = Depends(allowed("dictionary.read"))
) -> HTMLResponse:
    """One code list, searched and paged."""
    form = forms.asked(request)
    try:
        number = form.integer("page", least=1, most=10**6, otherwise=1) or 1
        codes = dictionary.codes_of(name, form.value("q")[:200], number)
    except KeyError:
        not_found()
    return page(request, "analyst/codelist.html", codes=codes, form=form)


@router.get("/dictionary/{table}")
def table(
    request: Request, table: str, person: Person = Depends(allowed("dictionary.read"))
) -> HTMLResponse:
    """One table and its columns."""
    if table not in table_names():
        not_found()
    return page(request, "analyst/table.html", contract=load_contract(table), unit_words=unit_words)


@router.get("/dictionary/{table}/{name}")
def column(
    request: Request, table: str, name: str, person: Person = Depends(allowed("dictionary.read"))
) -> HTMLResponse:
    """One column: what it means, where it comes from, its values, how it is checked."""
    try:
        contract, one = dictionary.column_of(table, name)
    except KeyError:
        not_found()
    codes = None
    if one.codelist in codelist_names():
        codes = dictionary.codes_of(one.codelist, size=CODES_BESIDE_A_COLUMN)
    return page(
        request,
        "analyst/column.html",
        contract=contract,
        column=one,
        about=_about(contract, one, language_of(request)),
        uses=dictionary.source_uses(table, name),
        codes=codes,
        rules=dictionary.rules_about(contract, one),
    )


def _about(contract: Contract, column: Column, language: str) -> list[tuple[str, str]]:
    """The facts about a column, without those that say nothing."""
    pairs = [
        (_("Table"), contract.title[language]),
        (_("Name in the table"), column.name),
        (_("Type"), column.duckdb_type),
        (_("Unit"), unit_words(column.unit or "")),
        (_("Always filled"), _("yes") if column.is_required else _("no")),
        (_("Handling"), column.classification),
        (_("HXL tag"), column.hxl),
        (_("Code list"), column.codelist),
        (
            _("Could help to recognise a person"),
            _("yes") if column.is_quasi_identifier else "",
        ),
    ]
    return [(label, value) for label, value in pairs if value]


@router.get("/sql")
def sql(request: Request, person: Person = Depends(allowed("sql.run"))) -> HTMLResponse:
    """The box with nothing asked yet, or with a question to start from."""
    form = forms.asked(request)
    return _box(request, person, form.value("purpose"), sample=form.value("sample"))


@router.post("/sql")
def ask(request: Request, person: Person = Depends(allowed("sql.run"))) -> HTMLResponse:
    """Answer a question; what is wrong with it is said beside it, and it is kept as typed."""
    check_rate(request, "sql")
    form = forms.posted(request)
    settings = settings_of(request)
    open_now = _opened(request, person)
    try:
        answer = boxes.ask(
            settings,
            open_now,
            form.value("question"),
            purpose=form.value("purpose"),
            actor=person.name,
        )
    except SqlRefused as refused:
        form.fail("question", f"{refused.text(language_of(request))} [{refused.code}]")
        return _box(request, person, form.value("purpose"), form=form, status=422)
    return _box(request, person, form.value("purpose"), form=form, answer=answer)


def _opened(request: Request, person: Person) -> boxes.Opened:
    """What is open to the person's organisation; 503 while the agreements cannot be relied on."""
    try:
        return boxes.opened(settings_of(request), person.organisation)
    except AgreementError:
        raise HTTPException(503) from None


def _box(
    request: Request,
    person: Person,
    purpose: str,
    *,
    form: forms.Form | None = None,
    sample: str = "",
    answer: Answer | None = None,
    status: int = 200,
) -> HTMLResponse:
    language = language_of(request)
    open_now = _opened(request, person)
    purpose = purpose if purpose in open_now.purposes else next(iter(open_now.purposes), "")
    relations = boxes.relations(open_now, purpose)
    offered = samples.fitting(relations, language)
    question = next((one.question for one in offered if one.name == sample), "")
    return page(
        request,
        "analyst/sql.html",
        status=status,
        chosen=forms.blank(purpose=purpose),
        purposes=[(code, all_purposes()[code].label[language]) for code in open_now.purposes],
        relations=relations,
        samples=offered,
        form=form or forms.blank(question=question),
        answer=answer,
        level=boxes.handling(open_now, purpose, answer.relations) if answer else "",
        most_rows=Task.model_fields["most_rows"].default,
        seconds=run.SECONDS,
        longest=fence.LONGEST_QUESTION,
    )

"""The analyst's pages: the dictionary, open to everybody signed in, and the SQL box."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from pipelines.accounts.permissions import Person
from pipelines.core import clock
from pipelines.core.i18n import mark
from pipelines.portal import forms
from pipelines.portal.security.limits import check_rate
from pipelines.portal.security.visitor import visitor_of
from pipelines.portal.services import dictionary
from pipelines.portal.sql import boxes, fence, run, samples
from pipelines.portal.sql.errors import SqlError
from pipelines.portal.sql.worker import Answer
from pipelines.portal.web import submissions
from pipelines.portal.web.access import allowed, not_found
from pipelines.portal.web.addresses import redirect, url
from pipelines.portal.web.expired_forms import HELD, returned
from pipelines.portal.web.page import page
from pipelines.portal.web.request import language_of, posted, query_form, settings_of
from pipelines.portal.web.search import add_words, keep_words
from pipelines.portal.words import _
from schemas.agreement_folder import fingerprint
from schemas.codelist import codelist_names
from schemas.contract import Column, Contract, load_contract, table_names
from schemas.organisation import purposes as all_purposes
from schemas.problem import AgreementError
from schemas.text import LANGUAGES

MOST_ROWS = 250  # of the widest table, and the page is still light; the API gives more
router = APIRouter()
CODES_BESIDE_A_COLUMN = 30
LONGEST_SEARCH = 200


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
    form = query_form(request)
    form.values.pop("q", None)
    add_words(request, form)
    asked = form.value("q").strip()[:LONGEST_SEARCH]
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


@router.post("/dictionary")
def send_search(request: Request, person: Person = Depends(allowed("dictionary.read"))) -> Response:
    """Lead to what is found; what was typed stands in no address."""
    form = posted(request)
    table = form.value("table") if form.value("table") in table_names() else ""
    return redirect(url("/dictionary", table=table, held=keep_words(request, form, "q")))


@router.post("/dictionary/lists/{name}")
def send_search_of_list(
    request: Request, name: str, person: Person = Depends(allowed("dictionary.read"))
) -> Response:
    """Lead to what is found in one list."""
    if name not in codelist_names():
        not_found()
    number = keep_words(request, posted(request), "q")
    return redirect(url(f"/dictionary/lists/{name}", held=number))


@router.get("/dictionary/lists/{name}")
def codelist(
    request: Request, name: str, person: Person = Depends(allowed("dictionary.read"))
) -> HTMLResponse:
    """One code list, searched and paged."""
    form = query_form(request)
    form.values.pop("q", None)
    add_words(request, form)
    try:
        number = form.integer("page", least=1, most=10**6, otherwise=1) or 1
        codes = dictionary.codes_of(name, form.value("q")[:LONGEST_SEARCH], number)
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
    """The box: empty, with a question to start from, or with the one that was sent and its answer.

    A question and its answer are kept for this session and named by a number: in the address stand
    the purpose and that number, never SQL.
    """
    address = query_form(request)
    kept = submissions.kept(request, _binding(request), address.value(HELD))
    if kept is None:
        form = returned(request) or forms.blank(purpose=address.value("purpose"))
        return _box(request, person, form, sample=address.value("sample"))
    typed = forms.Form(kept["typed"])
    if fault := kept["fault"]:
        said = SqlError(fault["code"], **fault["values"]).text(language_of(request))
        typed.fail("question", f"{said} [{fault['code']}]")
        return _box(request, person, typed, status=422)
    answer = Answer(**kept["answer"]) if kept["answer"] else None
    return _box(request, person, typed, answer=answer)


@router.post("/sql")
def ask(request: Request, person: Person = Depends(allowed("sql.run"))) -> Response:
    """Answer a question for the purpose that is on the form, and lead to the answer."""
    form = posted(request)
    open_now, is_asked = (
        _opened(request, person),
        form.value("do") != "menu" and not form.value("lang"),
    )
    purpose = form.choice("purpose", open_now.purposes)
    if not form.is_good:
        return _box(request, person, form, status=422)
    kept: dict[str, Any] = {"typed": _chosen(form), "answer": None, "fault": None}
    if is_asked:
        check_rate(request, "sql")
        try:
            question = form.value("question")
            answer = boxes.ask(
                settings_of(request),
                open_now,
                question,
                purpose=purpose,
                actor=person.name,
                most_rows=MOST_ROWS,
            )
            kept["answer"] = answer.model_dump(mode="json")
        except SqlError as refused:
            kept["fault"] = {"code": refused.code, "values": refused.values}
    number = submissions.keep(request, _binding(request), kept)
    lang = form.value("lang") if form.value("lang") in LANGUAGES else ""
    return redirect(url("/sql", purpose=purpose, held=number, lang=lang) + "#answer" * is_asked)


def _chosen(form: forms.Form) -> dict[str, list[str]]:
    return {name: [form.value(name)] for name in ("purpose", "question") if form.value(name)}


def _binding(request: Request) -> str:
    """For whom an answer is kept: this session, while the agreements are what they are."""
    agreed = repr(sorted(fingerprint(settings_of(request).agreements).items()))
    session = visitor_of(request).session
    return f"sql:{session}\n{clock.now().date()}\n{agreed}"


def _opened(request: Request, person: Person) -> boxes.QueryableTables:
    """What is open to the person's organisation; 503 while the agreements cannot be relied on."""
    try:
        return boxes.opened(settings_of(request), person.organisation)
    except AgreementError:
        raise HTTPException(503) from None


def _box(
    request: Request,
    person: Person,
    form: forms.Form,
    *,
    sample: str = "",
    answer: Answer | None = None,
    status: int = 200,
) -> HTMLResponse:
    language = language_of(request)
    open_now = _opened(request, person)
    purpose = form.value("purpose")
    if purpose not in open_now.purposes:
        purpose = next(iter(open_now.purposes), "")
        form.values["purpose"] = [purpose]
    relations = boxes.relations(open_now, purpose)
    offered = samples.fitting(relations, language)
    if question := next((one.question for one in offered if one.name == sample), ""):
        form.values["question"] = [question]
    return page(
        request,
        "analyst/sql.html",
        status=status,
        tells_nothing=answer is None and request.method == "GET",
        purposes=[(code, all_purposes()[code].label[language]) for code in open_now.purposes],
        relations=relations,
        samples=offered,
        form=form,
        answer=answer,
        is_gone=HELD in request.query_params and not form.value("question"),
        level=boxes.handling(open_now, purpose, answer.relations) if answer else "",
        most_rows=MOST_ROWS,
        seconds=run.SECONDS,
        longest=fence.LONGEST_QUESTION,
        typed_into="question",
    )

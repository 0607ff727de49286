"""What the API takes and gives, field by field; the OpenAPI description is made of these."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from schemas.agreement import FileFormat
from schemas.text import Bilingual

Item = TypeVar("Item")
Form = Literal["records", "counts"]
State = Annotated[str, Field(pattern="^(queued|running|done|failed)$", examples=["done"])]
Name = Annotated[str, Field(min_length=1, max_length=120)]
# What text may stand in an address: codes and names of ours. Words and numbers of records are sent
# in a body.
CODE = r"^[A-Za-z0-9_./-]*$"
Names = Annotated[list[Name], Field(max_length=200)]


def _utc(value: dt.datetime) -> str:
    """Times leave with their zone; those of the tables are UTC and have none."""
    aware = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    return aware.isoformat().replace("+00:00", "Z")


Moment = Annotated[dt.datetime, PlainSerializer(_utc, return_type=str, when_used="json")]


def _day(value: object) -> object:
    """Days are written 2026-02-03; a number of seconds since 1970 is no day here."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return dt.date.fromisoformat(value)
    if value is None or isinstance(value, dt.date):
        return value
    raise ValueError("a day is written like 2026-02-03")


Day = Annotated[dt.date, BeforeValidator(_day, json_schema_input_type=dt.date)]


class ResponseModel(BaseModel):
    """Something that the API gives."""

    model_config = ConfigDict(from_attributes=True)


class RequestModel(BaseModel):
    """Something that the API takes; a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Words(ResponseModel):
    """The same words in both languages."""

    en: str = Field(examples=["Joint planning"])
    fr: str = Field(examples=["Planification conjointe"])


def words(said: Bilingual) -> Words:
    """Words of a declaration."""
    return Words(en=said.en, fr=said.fr)


class Page(ResponseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    total: int = Field(description="How many there are on all pages.", examples=[42])
    page: int = Field(description="Which page this is, from 1.", examples=[1])
    pages: int = Field(description="How many pages there are.", examples=[3])


class Me(ResponseModel):
    """Whose token this is."""

    name: str = Field(examples=["analyst.dpo"])
    organisation: str = Field(examples=["dpo_police_division"])
    organisation_label: Words | None = None
    roles: list[str] = Field(examples=[["analyst"]])
    scopes: list[str] = Field(description="What this token may do.", examples=[["tables.list"]])
    language: str = Field(examples=["fr"])


class Choice(ResponseModel):
    """One value that may be chosen, with its words in the language of the request."""

    code: str = Field(examples=["admin1_code"])
    label: str = Field(examples=["Prefecture, province or state"])


class Clause(ResponseModel):
    """One clause of an agreement that opens something."""

    name: str = Field(examples=["caf_minusca/P1"])
    summary: Words
    providers: list[str] = Field(examples=[["caf_police"]])


class Offer(ResponseModel):
    """A table, in one form, that agreements open to your organisation."""

    table: str = Field(examples=["incidents"])
    title: Words
    form: Form
    purposes: list[str] = Field(examples=[["joint_planning"]])
    clauses: list[Clause]


class Menu(ResponseModel):
    """What may be asked of a table in one form for one purpose."""

    table: str = Field(examples=["incidents"])
    form: str
    purpose: str
    forms: list[str]
    purposes: list[Choice]
    columns: list[Choice] = Field(description="Of records.")
    dimensions: list[Choice] = Field(description="Of counts: by what they may be told apart.")
    measures: list[Choice] = Field(description="Of counts: what may be counted or added up.")
    formats: list[Choice]
    areas: list[Choice]
    offences: list[Choice]


class ExtractRequest(RequestModel):
    """What an extract shall hold. It goes to your own organisation, for the purpose named."""

    table: Name = Field(examples=["incidents"])
    purpose: Name = Field(examples=["joint_planning"])
    form: Form = "records"
    columns: Names = Field([], description="Of records; empty: all that is permitted.")
    dimensions: Names = Field([], description="Of counts.", examples=[["admin1_code", "month"]])
    measures: Names = Field(["records"], description="Of counts.")
    since: Day | None = Field(None, description="First day of occurrence, inclusive.")
    until: Day | None = Field(None, description="Last day of occurrence, inclusive.")
    areas: Names = Field([], description="Codes of admin areas; empty: everywhere.")
    offences: Names = Field([], description="Codes of main groups of offences; empty: all.")
    format: FileFormat = "csv"
    language: Literal["en", "fr"] = "en"


class Absence(ResponseModel):
    """Why an answer is empty."""

    code: str = Field(examples=["REL-124"])
    message: str


class Preview(ResponseModel):
    """What an extract would hold, before it is made; small numbers are told as `<5`."""

    row_count: int
    handling: str = Field(examples=["CONFIDENTIAL"])
    columns: list[str] = Field(description="The names of the columns, as they are read.")
    rows: list[list[str]] = Field(description="The first rows, as they are read.")
    said: list[str] = Field(description="What is hidden and why, a sentence each.")
    clauses: list[str] = Field(examples=[["caf_minusca/P1"]])
    absence: Absence | None = Field(None, description="Why there is no row, where there is none.")


class ExtractResult(ResponseModel):
    """A finished extract."""

    extract_id: str
    rows: int
    bytes: int
    sha256: str
    handling: str
    clauses: list[str]


class ExtractJob(ResponseModel):
    """Work on an extract; its id leads to it and to nothing else."""

    id: str
    state: State
    percent: int | None = Field(description="How far it is; null where nobody can say.")
    table: str
    purpose: str
    form: str
    format: str
    created_at: Moment
    updated_at: Moment
    expires_at: Moment | None = Field(description="Until when the file may be fetched.")
    result: ExtractResult | None
    fault: str = Field(description="Why it failed, in the language of the request.")
    closed: str = Field(description="Why the file may not be fetched any more; empty where it may.")
    file: str = Field(description="Where the file is fetched; empty while there is none.")


class SourceColumn(ResponseModel):
    """A column of a service's own files."""

    feed: str
    source_column: str = Field(examples=["Nature des faits"])
    reason: Words | None = Field(description="Why it is left out; null where it is taken over.")


class Hit(ResponseModel):
    """What a search in the dictionary led to; `column` is empty for a table."""

    table: str
    column: str
    label: Words | None
    description: Words | None
    why: str = Field(
        description="What was found: name, label, source, code, …", examples=["source"]
    )
    matched: str = Field(examples=["Nature des faits"])
    sources: list[SourceColumn]


class Hits(ResponseModel):
    """What was found, best first, or what else might have been meant."""

    items: list[Hit]
    total: int
    suggestions: list[str]


class Column(ResponseModel):
    """One column of a table."""

    name: str
    label: Words
    description: Words
    type: str = Field(description="Its type in DuckDB.", examples=["VARCHAR"])
    is_required: bool
    unit: str
    codelist: str
    handling: str
    hxl: str
    sources: list[SourceColumn]
    rules: list[str] = Field(examples=[["INC-103", "INC-203"]])


class Table(ResponseModel):
    """One table and its columns."""

    table: str
    title: Words
    description: Words
    version: str
    kind: str = Field(examples=["data"])
    columns: list[Column]


class Code(ResponseModel):
    """One code of a list."""

    code: str = Field(examples=["0101"])
    parent: str
    label: Words


class DictionarySearch(RequestModel):
    """Words to look for in the dictionary."""

    q: str = Field(min_length=1, max_length=200, examples=["Nature des faits"])
    table: str = Field("", max_length=120)


class CodeSearch(RequestModel):
    """Words, or a code, to look for in one list."""

    q: str = Field(min_length=1, max_length=200, examples=["homicide"])
    page: int = Field(1, ge=1, le=1_000_000)


class SqlQuery(RequestModel):
    """One question in SQL, and for what it is asked."""

    purpose: Name = Field(examples=["joint_planning"])
    question: str = Field(max_length=10_000, examples=["SELECT count(*) FROM incidents"])


class SqlAnswer(ResponseModel):
    """Rows as text. To take rows along, ask for an extract."""

    columns: list[str]
    types: list[str] = Field(description="The types of the columns in DuckDB.")
    rows: list[list[str | None]]
    is_cut: bool = Field(description="True where there are more rows.")
    elapsed_ms: int
    handling: str


class SqlRelation(ResponseModel):
    """One table that may be asked about."""

    name: str
    title: Words
    columns: list[str]

"""The description of the API: OpenAPI 3.1, and the same sorted for a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from pipelines.core.settings import PROGRAM_VERSION
from pipelines.portal.api import models
from pipelines.portal.api.problems import Problem
from pipelines.portal.web.access import ActionGuard

TOKEN = "token"  # noqa: S105  (the name of the scheme)
PREFIX = "/api/v1"
ABOUT = (
    "Incident and border data between police services and UN missions: what agreements open to "
    "your organisation, extracts, deliveries, the dictionary, the ledger. Sentences are in the "
    "language of `Accept-Language`, English or French."
)


@dataclass(frozen=True)
class Operation:
    """One operation, as a page shows it."""

    method: str
    path: str
    summary: str
    scope: str


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; made once."""
    kept: dict[str, Any] | None = getattr(app.state, "openapi", None)
    if kept is None:
        kept = app.state.openapi = _made(app)
    return kept


def groups(app: FastAPI) -> dict[str, list[Operation]]:
    """The operations by what they are about, in their order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in described(app)["paths"].items():
        for method, said in methods.items():
            one = Operation(method.upper(), path, said["description"], said.get("x-scope", ""))
            found.setdefault(said["tags"][0], []).append(one)
    return found


def _made(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Passerelle",
        version=PROGRAM_VERSION,
        description=ABOUT,
        routes=app.routes,
        openapi_version="3.1.0",
    )
    scopes = dict(_scopes(app))
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            said["security"] = [{TOKEN: []}]
            if scope := scopes.get((path, method)):
                said["x-scope"] = scope
                said["description"] += f" Needs the scope `{scope}`."
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for name, schema in schemas.items():
        if name.startswith("Page_"):  # made of a generic model, whose words are lost on the way
            schema["description"] = models.Page.__doc__
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"Problem": problem}
    parts["securitySchemes"] = {
        TOKEN: {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal token, made on the page of your account.",
        }
    }
    return document


def _scopes(app: FastAPI) -> Iterator[tuple[tuple[str, str], str]]:
    """The action that each operation needs."""
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path or ""
        if isinstance(route, APIRoute) and path.startswith(PREFIX):
            for needed in route.dependant.dependencies:
                if isinstance(needed.call, ActionGuard):
                    for method in context.methods or ():
                        yield (path, method.lower()), needed.call.action

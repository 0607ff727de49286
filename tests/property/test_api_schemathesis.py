"""The API against its own description, by schemathesis: no fault of ours, no answer undocumented.

Not here: what each operation says (tests/integration/test_api.py). The cases are generated from
the OpenAPI document, as each role and as somebody with every role.
"""

from __future__ import annotations

import shutil
from tempfile import TemporaryDirectory

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from pipelines.accounts.people import find_user, person_of
from pipelines.accounts.permissions import NEVER_BY_TOKEN, OPERATOR_ROLE, ROLES
from pipelines.accounts.tokens import make_token
from pipelines.core.settings import settings_for
from pipelines.portal.api.description import described
from pipelines.portal.app import create_app
from pipelines.portal.configuration import DEFAULT_RATES, Configuration
from tests.portal import account, cheap_passwords

CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
EVERY_ROLE = "every role"
WHO = (EVERY_ROLE, *ROLES)


@pytest.fixture(scope="module")
def portal(demo_home, tmp_path_factory):
    """A portal over a copy of the demo, with a token for each role and one for all of them."""
    cheap_passwords()
    home = tmp_path_factory.mktemp("api") / "home"
    shutil.copytree(demo_home.home, home, ignore=shutil.ignore_patterns("lake", "landing"))
    settings = settings_for(home, landing=demo_home.landing).prepare()
    rates = dict.fromkeys(DEFAULT_RATES, "1000000/minute")
    app = create_app(settings, Configuration(url="http://testserver", rates=rates))
    tokens = {}
    for who in WHO:
        roles = [role for role in ROLES if role != OPERATOR_ROLE] if who == EVERY_ROLE else [who]
        place = "caf_police" if who == "provider" else "minusca_unpol"
        name = account(settings, roles, organisation=place, name=f"test.{who.replace(' ', '.')}")
        person = person_of(find_user(settings, name))
        scopes = person.actions - NEVER_BY_TOKEN
        tokens[who], _kept = make_token(settings, person, who, scopes=scopes, days=1)
    schema.app.app = app
    return app, tokens


class Later:
    """The application of the fixture, for a schema that is read before there is one."""

    app: FastAPI

    async def __call__(self, scope, receive, send) -> None:
        """Serve one request."""
        await self.app(scope, receive, send)


def read_schema():
    """The document that a program would read; it does not depend on what is published."""
    with TemporaryDirectory() as empty:
        document = described(create_app(settings_for(empty), Configuration()))
    for methods in document["paths"].values():  # the tests bring the token themselves
        for operation in methods.values():
            assert operation.pop("security") == [{"token": []}]
    read = schemathesis.openapi.from_dict(document)
    read.app = Later()
    return read


schema = read_schema()
FEW = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


@schema.parametrize()
@hypothesis_settings(max_examples=6, **FEW)
def test_no_answer_is_undocumented(case, portal):
    case.call_and_validate(headers=bearer(portal, EVERY_ROLE), checks=CHECKED)


@schema.parametrize()
@hypothesis_settings(max_examples=1, phases=[Phase.generate], **FEW)
def test_no_role_meets_an_undocumented_answer(case, portal):
    for who in ROLES:
        case.call_and_validate(headers=bearer(portal, who), checks=CHECKED[:5])


@schema.parametrize()
@hypothesis_settings(max_examples=1, phases=[Phase.generate], **FEW)
def test_nobody_is_told_to_show_a_token(case, portal):
    response = case.call_and_validate(checks=CHECKED[:5])
    assert response.status_code in (400, 401, 404, 422)
    assert response.status_code != 422 or "faults" in response.json()


def bearer(portal, who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {portal[1][who]}"}

"""The query of an extract reads from top to bottom, as the template's own heading shows it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlglot

from pipelines.release.disclosure.groups import clauses_beside
from pipelines.release.policy.permits import offers, who_may
from pipelines.release.query import template
from pipelines.release.query.counts import compile_counts
from pipelines.release.query.records import compile_records
from pipelines.release.request import Request
from schemas.agreement_folder import load_agreements
from schemas.contract import load_contract
from schemas.organisation import organisations

DAY = dt.date(2026, 11, 17)
SHOWN = re.findall(r"^ +(?:WITH|,) (\w+) +AS \(…\)", template.__doc__ or "", re.MULTILINE)
LAST = {"records": "told", "counts": "counted"}
AGREEMENTS = load_agreements()
OFFERS = [
    (recipient, offer)
    for recipient in organisations()
    for offer in offers(AGREEMENTS, recipient, DAY)
    if offer.table == "incidents"
]


@pytest.mark.parametrize("form", LAST)
def test_the_steps_come_in_the_order_in_which_they_are_shown(form):
    seen = set[str]()
    for recipient, offer in [pair for pair in OFFERS if pair[1].form == form][:4]:
        purpose = sorted(offer.purposes)[0]
        contract = load_contract(offer.table)
        request = Request(offer.table, recipient, purpose, DAY, form=form)
        allowed = who_may(
            AGREEMENTS,
            recipient=recipient,
            table=offer.table,
            purpose=purpose,
            form=form,
            as_of=DAY,
            columns=(),
        )
        known = clauses_beside(AGREEMENTS, offer.table)
        compiled = (
            compile_records(request, allowed, contract)
            if form == "records"
            else compile_counts(request, allowed, contract, known)
        )
        for sql in (compiled.sql, compiled.flow_sql, compiled.holdings_sql):
            steps = [one.alias for one in sqlglot.parse_one(sql, dialect="duckdb").ctes]
            assert steps == [one for one in SHOWN if one in steps]
            assert (steps[0], steps[-1]) == ("placed", LAST[form])
            seen |= set(steps)
    other = {"records": {"beside", "chosen", "counted"}, "counts": {"ranked", "named", "told"}}
    assert seen | {"grouped"} == set(SHOWN) - other[form]

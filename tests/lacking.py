"""A contract as it would be if its table did not take some groups: for tests of what it then does.

Not here: contracts that are wrong (`contract/test_declared.py`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from schemas import declared
from schemas.contract import Contract, load_contract

INCIDENTS = "incidents"


def without(*groups: str, table: str = INCIDENTS) -> Contract:
    """The contract less the columns and roles of the groups, and less what is said of those."""
    known = load_contract(table)
    said = [declared.groups()[group] for group in groups]
    gone = {column for one in said for column in (*one.columns, *one.inputs)}
    helpers = {helper for one in said for helper in one.helpers}
    roles = {role for one in said for role in one.roles.model_fields_set}

    def stays(text: object) -> bool:
        named = set(re.findall(r"\w+", str(text).replace("__unread", "")))
        return not named & (gone | helpers | facts)

    facts: set[str] = set()
    facts = {fact.name for fact in known.facts if not stays(fact.sql)}
    return replace(
        known,
        columns=tuple(
            replace(c, look_ups=tuple(one for one in c.look_ups if one.column not in gone))
            for c in known.columns
            if c.name not in gone
        ),
        roles=known.roles.model_copy(
            update={role: type(known.roles).model_fields[role].default for role in roles}
        ),
        rules=tuple(r for r in known.rules if r.column not in gone and stays(r.kwargs)),
        lake_rules=tuple(r for r in known.lake_rules if stays(r.identity)),
        facts=tuple(f for f in known.facts if f.name not in facts),
        helpers=tuple(h for h in known.helpers if h.name not in helpers and stays(h.column)),
    )

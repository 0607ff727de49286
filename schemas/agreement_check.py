"""What is wrong with an agreement in meaning: unknown names, missing protections, dates.

Not here: the form of the file (`agreement_folder.py`) and the words (`problems.csv`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from schemas import agreement as a
from schemas.agreement_columns import can_be_counted_by, can_be_summed, is_written, too_fine
from schemas.agreement_overlap import always_holds, may_meet, opened_by
from schemas.codelist import codes
from schemas.contract import Column, Contract, load_contract, table_names
from schemas.organisation import (
    EVERYBODY,
    covers,
    is_security_force,
    lineage,
    organisations,
    purposes,
    sources_of,
)
from schemas.problem import AgreementProblem
from schemas.reveals import given_away_by, told_with

SOON_DAYS = 60
LEAST_THRESHOLD, LEAST_GROUP = 3, 2
MANY_QUASI_IDENTIFIERS = 6


def problems(
    agreement: a.Agreement,
    *,
    as_of: dt.date | None = None,
    others: Sequence[a.Agreement] = (),
) -> list[AgreementProblem]:
    """Everything that is wrong or worth a look; of the calendar only where `as_of` says a day.

    `others` are the agreements beside it, whose restrictions hold here too.
    """
    restrictions = [r for one in (agreement, *others) for r in one.restrictions]
    found = [*_names(agreement), *_dates(agreement, as_of)]
    for position, permit in enumerate(agreement.permits):
        found += _Clause(agreement, permit, ("permits", position)).permit_problems(restrictions)
    for position, restriction in enumerate(agreement.restrictions):
        clause = _Clause(agreement, restriction, ("restrictions", position))
        found += clause.restriction_problems([p for a in (agreement, *others) for p in a.permits])
    elsewhere = {one.name: other.agreement for other in others for one in other.standing}
    for position, standing in enumerate(agreement.standing):
        loc = ("standing", position)
        found += _standing(agreement, standing, loc)
        if standing.name in elsewhere:
            values = {"name": standing.name, "agreement": elsewhere[standing.name]}
            found.append(AgreementProblem("AGR-211", agreement.agreement, values, (*loc, "name")))
    return found


def _names(agreement: a.Agreement) -> Iterator[AgreementProblem]:
    name = agreement.agreement
    for position, party in enumerate(agreement.parties):
        if party not in organisations():
            yield _unknown("AGR-201", name, ("parties", position), party, organisations())
    clauses: list[tuple[str, Sequence[Any], str]] = [
        ("permits", agreement.permits, "clause"),
        ("restrictions", agreement.restrictions, "clause"),
        ("standing", agreement.standing, "name"),
    ]
    for part, entries, key in clauses:
        names = [getattr(one, key) for one in entries]
        for position, one in enumerate(names):
            if one in names[:position]:
                yield AgreementProblem("AGR-209", name, {"name": one}, (part, position, key))


def _dates(agreement: a.Agreement, as_of: dt.date | None) -> Iterator[AgreementProblem]:
    values: dict[str, Any]
    name, first, last = agreement.agreement, agreement.valid_from, agreement.valid_until
    if first > last:
        values = {"first": "valid_from", "last": "valid_until"}
        yield AgreementProblem("AGR-401", name, values, ("valid_from",))
    if as_of is None:
        return
    if as_of > last:
        yield AgreementProblem("AGR-402", name, {"day": last}, ("valid_until",))
    elif as_of < first:
        yield AgreementProblem("AGR-404", name, {"day": first}, ("valid_from",))
    elif (last - as_of).days <= SOON_DAYS:
        values = {"day": last, "days": (last - as_of).days}
        yield AgreementProblem("AGR-405", name, values, ("valid_until",))
    for position, permit in enumerate(agreement.permits):
        review = permit.due_diligence
        if review is None:
            continue
        here = ("permits", position, "due_diligence")
        closed = [one for one in permit.recipients if is_security_force(one)]
        if closed and not review.holds_on(as_of):
            values = {"reference": review.reference, "names": closed}
            values |= {"first": review.reviewed_on, "last": review.valid_until}
            yield AgreementProblem("AGR-403", permit.full_name, values, here)
        elif closed and review.valid_until < last:
            yield AgreementProblem("AGR-406", permit.full_name, {"day": review.valid_until}, here)


def _standing(
    agreement: a.Agreement, standing: a.Standing, loc: tuple[str | int, ...]
) -> Iterator[AgreementProblem]:
    where = f"{agreement.agreement}: {standing.name}"
    if standing.recipient not in organisations():
        loc = (*loc, "recipient")
        yield _unknown("AGR-201", where, loc, standing.recipient, organisations())
        return
    asked, measures = set(standing.columns), set(standing.measures)
    dimensions = set(standing.dimensions)
    if not any(
        (permit.table, permit.form) == (standing.table, standing.form)
        and standing.purpose in permit.purposes
        and any(covers(one, standing.recipient) for one in permit.recipients)
        and (not asked or asked & set(permit.columns))
        and dimensions <= set(permit.dimensions)
        and measures <= set(permit.measures)
        for permit in agreement.permits
    ):
        yield AgreementProblem("AGR-506", where, {}, loc)


class _Clause:
    """One clause being looked at: what it is part of, where, and the contract of its table."""

    def __init__(
        self,
        agreement: a.Agreement,
        clause: a.Permit | a.Restriction,
        loc: tuple[str | int, ...],
    ) -> None:
        self.agreement, self.clause, self.loc = agreement, clause, loc
        self.where = clause.full_name
        self.contract: Contract | None = None
        if clause.table in table_names("data"):
            self.contract = load_contract(clause.table)

    def problem(self, code: str, *steps: str | int, **values: Any) -> AgreementProblem:
        where = f"{self.where} {steps[0]}" if steps else self.where
        return AgreementProblem(code, where, values, (*self.loc, *steps))

    def permit_problems(self, restrictions: Sequence[a.Restriction]) -> Iterator[AgreementProblem]:
        permit = self.clause
        assert isinstance(permit, a.Permit)  # noqa: S101
        yield from self._who(permit.recipients)
        for position, purpose in enumerate(permit.purposes):
            if purpose not in purposes():
                loc = (*self.loc, "purposes", position)
                yield _unknown("AGR-202", self.where, loc, purpose, purposes())
        yield from self._rows()
        yield from self._form(permit)
        yield from self._due_diligence(permit)
        if self.contract:
            if permit.form == "records":
                yield from self._columns(permit, self.contract)
            else:
                yield from self._counts(permit, self.contract)
        if permit.rows.sensitive:
            yield self.problem("AGR-311", "rows", "sensitive")
        is_public = permit.rows.handling_ceiling == "UNCLASSIFIED"
        if permit.onward.allowed and permit.onward.consent == "not_needed" and not is_public:
            yield self.problem("AGR-312", "onward")
        yield from self._restricted(permit, restrictions)

    def restriction_problems(self, permits: Sequence[a.Permit]) -> Iterator[AgreementProblem]:
        restriction = self.clause
        assert isinstance(restriction, a.Restriction)  # noqa: S101
        yield from self._who([one for one in restriction.recipients if one != EVERYBODY])
        yield from self._rows()
        known = [column.name for column in self.contract.published] if self.contract else []
        for position, column in enumerate(restriction.columns):
            if self.contract and column not in known:
                yield self._no_column(column, "columns", position)
        if self.contract and set(restriction.columns) & set(known):
            masked = told_with(self.contract, set(restriction.columns) & set(known))
            opened = {
                name for one in permits if may_meet(restriction, one) for name in opened_by(one)
            }
            yield self.problem(
                "AGR-509",
                "columns",
                columns=restriction.columns,
                masked=sorted(masked - set(restriction.columns)) or "–",
                open=sorted((opened & set(known)) - masked) or "–",
            )

    def _who(self, recipients: Iterable[str]) -> Iterator[AgreementProblem]:
        clause, parties = self.clause, self.agreement.parties
        provided = {source for party in parties for source in sources_of(party)}
        for position, source in enumerate(clause.providers):
            loc = (*self.loc, "providers", position)
            if source not in codes("sources"):
                yield _unknown("AGR-204", self.where, loc, source, codes("sources"))
            elif source not in provided:
                known = [one for one, it in organisations().items() if source in it.sources]
                values = {"name": source, "known": known}
                yield AgreementProblem("AGR-210", self.where, values, loc)
        for position, recipient in enumerate(recipients):
            loc = (*self.loc, "recipients", position)
            if recipient not in organisations():
                yield _unknown("AGR-201", self.where, loc, recipient, organisations())
            elif not any(covers(party, recipient) for party in parties) and recipient != "public":
                yield AgreementProblem("AGR-505", self.where, {"name": recipient}, loc)

    def _rows(self) -> Iterator[AgreementProblem]:
        if self.contract is None:
            known = table_names("data")
            yield self.problem("AGR-203", "table", name=self.clause.table, known=known)
        rows = self.clause.rows
        lists: list[tuple[str, Sequence[str], str]] = [
            ("countries", rows.countries, "countries"),
            ("areas", rows.areas, "admin_areas"),
            ("offences", rows.offences, "offences"),
            ("except_offences", rows.except_offences, "offences"),
            ("border_points", rows.border_points, "border_points"),
        ]
        for key, named, codelist in lists:
            for position, code in enumerate(named):
                if not _is_code(code, codelist):
                    loc = (*self.loc, "rows", key, position)
                    yield _unknown("AGR-206", self.where, loc, code, codes(codelist), list=codelist)
        if rows.since and rows.until and rows.since > rows.until:
            yield self.problem("AGR-401", "rows", "since", first="since", last="until")

    def _form(self, permit: a.Permit) -> Iterator[AgreementProblem]:
        if permit.form == "records":
            strange = ("dimensions", "measures", "small_cell_threshold")
            if not permit.columns:
                yield self.problem("AGR-304")
            if permit.smallest_group is None:
                yield self.problem("AGR-302")
        else:
            strange = ("columns", "smallest_group", "")
            for key in ("dimensions", "measures"):
                if not getattr(permit, key):
                    yield self.problem("AGR-306", key=key)
            if permit.small_cell_threshold is None:
                yield self.problem("AGR-301")
        for key in filter(None, strange):
            if getattr(permit, key):
                yield self.problem("AGR-305", key, key=key, form=permit.form)
        own = all(set(permit.providers) <= _own(one) for one in permit.recipients)
        if own or permit.rows.handling_ceiling == "UNCLASSIFIED":
            return
        least = {"small_cell_threshold": LEAST_THRESHOLD, "smallest_group": LEAST_GROUP}
        for key, enough in least.items():
            value = getattr(permit, key)
            if value is not None and value < enough:
                is_bound = key == "smallest_group" and not permit.onward.allowed
                code = "AGR-508" if is_bound and not permit.due_diligence else "AGR-309"
                yield self.problem(code, key, key=key, value=value, least=enough)

    def _due_diligence(self, permit: a.Permit) -> Iterator[AgreementProblem]:
        review = permit.due_diligence
        if review is None:
            for position, recipient in enumerate(permit.recipients):
                if is_security_force(recipient):
                    yield self.problem("AGR-303", "recipients", position, name=recipient)
        elif review.reviewed_on > review.valid_until:
            values = {"first": "reviewed_on", "last": "valid_until"}
            yield self.problem("AGR-401", "due_diligence", **values)

    def _columns(self, permit: a.Permit, contract: Contract) -> Iterator[AgreementProblem]:
        columns = {column.name: column for column in contract.published}
        for position, name in enumerate(permit.columns):
            if name not in columns:
                yield self._no_column(name, "columns", position)
                continue
            yield from self._column(permit, columns[name], position)
        opened = [n for n in permit.columns if n in columns and columns[n].is_quasi_identifier]
        if len(opened) > MANY_QUASI_IDENTIFIERS and (permit.smallest_group or 0) > 1:
            values = {"count": len(opened), "names": opened, "k": permit.smallest_group}
            yield self.problem("AGR-507", "columns", **values)

    def _column(
        self, permit: a.Permit, column: Column, position: int
    ) -> Iterator[AgreementProblem]:
        name, here = column.name, ("columns", position)
        if is_written(column):
            yield self.problem("AGR-501", *here, name=name)
        if column.coarsen == "token":
            yield self.problem("AGR-502", *here, name=name)
        ceiling = permit.rows.handling_ceiling
        if column.classification == a.HANDLING_LEVELS[-1] != ceiling:
            yield self.problem("AGR-310", *here, name=name, ceiling=ceiling)
        if limit := too_fine(column, permit.precision):
            yield self.problem("AGR-308", *here, name=name, limit=limit)

    def _counts(self, permit: a.Permit, contract: Contract) -> Iterator[AgreementProblem]:
        columns = {column.name: column for column in contract.published}
        derived = [*(a.TIME_DIMENSIONS if contract.event_day else ()), *contract.levels]
        for position, name in enumerate(permit.dimensions):
            column = columns.get(name)
            if name not in derived and not can_be_counted_by(column):
                values = {"name": name, "known": derived, "table": contract.table}
                yield self.problem("AGR-207", "dimensions", position, **values)
            elif limit := too_fine(column or name, permit.precision):
                yield self.problem("AGR-307", "dimensions", position, name=name, limit=limit)
        for position, name in enumerate(permit.measures):
            if name == a.RECORDS:
                continue
            if not can_be_summed(columns.get(name)):
                values = {"name": name, "table": contract.table}
                yield self.problem("AGR-208", "measures", position, **values)
            elif (
                columns[name].classification
                == a.HANDLING_LEVELS[-1]
                != (permit.rows.handling_ceiling)
            ):
                ceiling = permit.rows.handling_ceiling
                yield self.problem("AGR-310", "measures", position, name=name, ceiling=ceiling)

    def _restricted(
        self, permit: a.Permit, restrictions: Sequence[a.Restriction]
    ) -> Iterator[AgreementProblem]:
        for one in restrictions:
            if not may_meet(one, permit):
                continue
            opened = opened_by(permit)
            if not one.columns:
                yield self.problem("AGR-504", clause=one.full_name)
            if self.contract and one in self.agreement.restrictions and always_holds(one, permit):
                yield from self._masked_wholly(opened, one, self.contract)
                continue
            for column in sorted(opened & set(one.columns)):
                yield self.problem("AGR-503", name=column, clause=one.full_name)

    def _masked_wholly(
        self, opened: set[str], restriction: a.Restriction, contract: Contract
    ) -> Iterator[AgreementProblem]:
        """Columns that a clause opens and a restriction of the same agreement masks in all rows."""
        published = {column.name for column in contract.published}
        named = sorted(set(restriction.columns) & published)
        for column in sorted(opened):
            told = [one for one in named if column in given_away_by(contract, one)]
            if told:
                values = {"name": column, "clause": restriction.full_name, "masked": told}
                yield self.problem("AGR-313", **values)

    def _no_column(self, name: str, *steps: str | int) -> AgreementProblem:
        assert self.contract is not None  # noqa: S101
        known = [column.name for column in self.contract.published]
        loc = (*self.loc, *steps)
        return _unknown("AGR-205", self.where, loc, name, known, table=self.clause.table)


def _own(recipient: str) -> set[str]:
    """The sources whose data is a recipient's own, or that of the organisation it is a unit of."""
    return {source for one in lineage(recipient) for source in sources_of(one)}


def _is_code(code: str, codelist: str) -> bool:
    """A code of the list; an area may also lie below a listed one (gazetteers are loaded later)."""
    listed = codes(codelist)
    below = codelist == "admin_areas" and any(code.startswith(one) for one in listed)
    return code in listed or below


def _unknown(
    code: str,
    where: str,
    loc: tuple[str | int, ...],
    name: str,
    known: Iterable[str],
    **values: Any,
) -> AgreementProblem:
    nearest = get_close_matches(name, list(known), 1, 0.4)
    values |= {"name": name, "guess": nearest[0] if nearest else "–"}
    return AgreementProblem(code, where, values, loc)

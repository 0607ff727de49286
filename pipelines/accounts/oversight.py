"""What an overseer may read: the entries, agreements and extracts that concern their organisation.

Not here: the ledger (`pipelines/ledger`) and the pages that show it (`portal`).

What concerns an organisation is what its accounts and those of its units did, what was handed out
to them, and what became of its own data, whoever took it. A feed granted by name adds that
source's data to its own. The chain can be checked whole: a check tells no entry.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.accounts.models import User
from pipelines.accounts.permissions import Reach
from pipelines.core.settings import Settings
from pipelines.ledger.models import LedgerEntry
from schemas.agreement import Agreement
from schemas.agreement_folder import load_agreements
from schemas.feed import load_feeds
from schemas.organisation import covers, sources_of, units
from schemas.problem import AgreementError

# Of nobody in particular: the names and fingerprints of agreements, and the state of the chain.
OF_ALL = ("policy.changed", "ledger.checked", "ledger.fault_noticed")


@dataclass(frozen=True)
class Concern:
    """Whose affairs: organisations by their code, and the sources whose data is theirs."""

    organisation: str
    organisations: frozenset[str]
    sources: frozenset[str]

    def has_agreement(self, agreement: Agreement) -> bool:
        """True for a party of the agreement, or where it opens data of these sources."""
        ours = self.organisation
        is_party = any(covers(one, ours) or covers(ours, one) for one in agreement.parties)
        return is_party or any(self.sources & set(one.providers) for one in agreement.permits)

    def has_holding(self, record_id: str, recipient: str) -> bool:
        """True where the record is of these sources, or the extract that holds it is for them."""
        return record_id.partition(":")[0] in self.sources or recipient in self.organisations

    def agreements(self, settings: Settings) -> list[Agreement]:
        """The agreements that concern them, by name. Raises AgreementError."""
        return [one for one in load_agreements(settings.agreements) if self.has_agreement(one)]

    def entries(self, settings: Settings) -> sa.ColumnElement[bool]:
        """The condition on `LedgerEntry` for what concerns them."""
        event, subject = LedgerEntry.event, LedgerEntry.subject
        made = self.extracts(settings)
        taken = sa.select(LedgerEntry.subject).where(event == "extract.made", made)
        names = sa.select(User.name).where(User.organisation.in_(self.organisations))
        feeds = [one.feed for one in load_feeds() if one.source in self.sources]
        return sa.or_(
            LedgerEntry.organisation.in_(self.organisations),
            sa.and_(event.like("extract.%"), made),
            sa.and_(event == "extract.downloaded", subject.in_(taken)),
            sa.and_(event.like("delivery.%"), LedgerEntry.organisation.in_(self.sources)),
            sa.and_(
                event == "rejections.downloaded",
                sa.or_(
                    sa.false(), *(subject.startswith(f"{one}.", autoescape=True) for one in feeds)
                ),
            ),
            sa.and_(event.like("user.%"), subject.in_(names)),
            event.in_(OF_ALL),
        )

    def extracts(self, settings: Settings) -> sa.ColumnElement[bool]:
        """The condition on `LedgerEntry` for extracts for these organisations or of their data.

        An entry names the providers of its rows; an older one only its clauses, which are looked
        up in the agreements of today.
        """
        details = LedgerEntry.details
        providers = sa.cast(details["providers"], sa.Text)
        clauses = sa.cast(details["clauses"], sa.Text)
        return sa.or_(
            details["recipient"].as_string().in_(self.organisations),
            *(providers.contains(f'"{one}"', autoescape=True) for one in sorted(self.sources)),
            *(clauses.contains(f'"{one}"', autoescape=True) for one in self._clauses(settings)),
        )

    def _clauses(self, settings: Settings) -> list[str]:
        try:
            found = load_agreements(settings.agreements)
        except AgreementError:
            return []
        permits = (permit for agreement in found for permit in agreement.permits)
        return [one.full_name for one in permits if self.sources & set(one.providers)]


def concern_of(where: Reach) -> Concern:
    """What concerns the organisation of a reach, with the feeds that it was granted by name."""
    granted = {one.source for one in load_feeds() if one.feed in where.feeds}
    return Concern(
        organisation=where.organisation,
        organisations=frozenset(units(where.organisation)) | {where.organisation},
        sources=frozenset(sources_of(where.organisation)) | granted,
    )

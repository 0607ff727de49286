"""The tables of the ledger: its entries, and the signed head that says which one is the last.

Not here: how an entry is made (`chain.py`) and the tables of people (`pipelines/accounts`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from pipelines.ledger.database import Base, Moment

HASH_LENGTH = 64


class LedgerEntry(Base):
    """One entry. Triggers refuse to change or remove it; see the first migration."""

    __tablename__ = "ledger_entries"
    __table_args__ = (sa.Index(None, "event", "seq"), sa.Index(None, "subject", "seq"))

    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    event: Mapped[str] = mapped_column(sa.String(40))
    actor: Mapped[str] = mapped_column(sa.String(200))
    organisation: Mapped[str] = mapped_column(sa.String(80))
    subject: Mapped[str] = mapped_column(sa.String(200))
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    previous_hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH))
    hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), unique=True)


class LedgerHead(Base):
    """The one row that names the last entry, with a code that only this installation can make."""

    __tablename__ = "ledger_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(HASH_LENGTH))
    mac: Mapped[str] = mapped_column(sa.String(HASH_LENGTH))

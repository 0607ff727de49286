"""Known devices, and failed sign-ins counted where they came from instead of locking an account.

Not here: how they are counted (`pipelines/accounts/delays.py`).

An account that is locked at this moment stays closed, for devices that it does not know, until its
lock would have ended.
"""

import hashlib
import hmac

import sqlalchemy as sa
from alembic import context, op

from pipelines.core.keys import installation_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HASH, ID, NAME = sa.String(64), sa.String(36), sa.String(80)
MOMENT = sa.DateTime(timezone=True)
GONE = ("failed_count", "lockouts", "locked_until")
FREE = 4


def upgrade() -> None:
    """Make the tables, carry the locks over, drop what they were kept in."""
    op.create_table(
        "devices",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("label", NAME, nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "last_signin_at")),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("token_hash", name="uq_devices_token_hash"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_devices_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_devices_user_id", "devices", ["user_id"])
    failures = op.create_table(
        "signin_failures",
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("closed_until", MOMENT),
        sa.PrimaryKeyConstraint("subject", name="pk_signin_failures"),
    )
    op.create_index("ix_signin_failures_last_at", "signin_failures", ["last_at"])
    for table, prefix in (("users", "failures_untold"), ("sessions", "failures_told")):
        op.add_column(table, sa.Column(prefix, sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column(f"{prefix}_at", MOMENT))
    _carry_over(failures)
    for column in GONE:
        op.drop_column("users", column)


def _carry_over(failures: sa.Table) -> None:
    users = sa.table(
        "users", sa.column("name"), sa.column("lockouts"), sa.column("locked_until", MOMENT)
    )
    chosen = sa.select(users.c.name, users.c.lockouts, users.c.locked_until)
    connection = op.get_bind()
    for name, lockouts, until in connection.execute(
        chosen.where(users.c.locked_until.is_not(None))
    ).all():
        key = installation_key(context.config.attributes["settings"], "portal")
        digest = hmac.new(key, name.encode(), hashlib.sha256).hexdigest()
        row = {"subject": f"account:{digest}", "failures": FREE + max(1, lockouts)}
        connection.execute(failures.insert().values(**row, last_at=until, closed_until=until))

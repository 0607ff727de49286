"""The first tables: the ledger with its head and its triggers, users, sessions, tokens, jobs.

Not here: anything later; a further step beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

HASH, ID, NAME, LONG = sa.String(64), sa.String(36), sa.String(80), sa.String(200)
MOMENT = sa.DateTime(timezone=True)
FIRST_HASH = "0" * 64
REFUSED = "the ledger is append-only"


def upgrade() -> None:
    """Make them."""
    _ledger()
    _people()
    _what_they_hold()
    _jobs()
    if op.get_bind().dialect.name == "postgresql":
        _triggers_of_postgresql()
    else:
        _triggers_of_sqlite()


def _ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("actor", LONG, nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("subject", LONG, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_hash", HASH, nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger_entries"),
        sa.UniqueConstraint("hash", name="uq_ledger_entries_hash"),
    )
    op.create_index("ix_ledger_entries_event_seq", "ledger_entries", ["event", "seq"])
    op.create_index("ix_ledger_entries_subject_seq", "ledger_entries", ["subject", "seq"])
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", HASH, nullable=False),
        sa.Column("mac", HASH, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": FIRST_HASH, "mac": ""}])


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", LONG),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("totp_secret", sa.String(400)),
        sa.Column("totp_pending", sa.String(400)),
        sa.Column("totp_last_counter", sa.BigInteger(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("lockouts", sa.Integer(), nullable=False),
        sa.Column("locked_until", MOMENT),
        sa.Column("oidc_issuer", sa.String(400)),
        sa.Column("oidc_subject", sa.String(255)),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_signin_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
        sa.UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_users_oidc"),
    )


def _what_they_hold() -> None:
    op.create_table(
        "sessions",
        sa.Column("id_hash", HASH, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "last_seen_at")),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id_hash", name="pk_sessions"),
        _owned("sessions", "user_id"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "expires_at")),
        *(sa.Column(name, MOMENT) for name in ("last_used_at", "revoked_at")),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_tokens_token_hash"),
        _owned("tokens", "user_id"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("owner", ID, nullable=False),
        sa.Column("organisation", NAME, nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("done", "total", "attempts")),
        sa.Column("worker", NAME, nullable=False),
        *(sa.Column(name, MOMENT, nullable=False) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        _owned("jobs", "owner"),
    )
    op.create_index("ix_jobs_state_created_at", "jobs", ["state", "created_at"])
    op.create_index("ix_jobs_owner_created_at", "jobs", ["owner", "created_at"])


def _owned(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["users.id"], name=f"fk_{table}_{column}", ondelete="CASCADE"
    )


def _triggers_of_sqlite() -> None:
    for word in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_no_{word.lower()} BEFORE {word} ON ledger_entries "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        )
    op.execute(
        "CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head WHEN NEW.seq < OLD.seq "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )
    op.execute(
        "CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_head "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
    )


def _triggers_of_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger_entries "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    for table in ("ledger_entries", "ledger_head"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )
    op.execute(
        "CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head FOR EACH ROW "
        "WHEN (NEW.seq < OLD.seq) EXECUTE FUNCTION ledger_refuse()"
    )
    op.execute(
        "CREATE TRIGGER ledger_head_stays BEFORE DELETE ON ledger_head "
        "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )

"""Accounts reach their own organisation and the feeds granted by name; nobody reaches everything.

Not here: granting feeds (`pipelines/accounts/people.py`).

Data specialists and oversight saw the affairs of all: they keep their own organisation, and
`is_narrowed` marks who lost the rest, until their reach is set by hand. Personal tokens keep what
they were made for, under the names that these actions have now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HAD_EVERYTHING = {"data_specialist", "oversight"}
RENAMED = {
    "delivery.read_all": "delivery.read_feeds",
    "rejections.read_all": "rejections.read_feeds",
    "delivery.upload_any": "delivery.upload_feeds",
    "extracts.read_all": "extracts.read_taken",
}


def upgrade() -> None:
    """Add the columns; mark who lost something."""
    op.add_column("users", sa.Column("feeds", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "users", sa.Column("is_narrowed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    users = sa.table(
        "users", sa.column("id"), sa.column("roles", sa.JSON), sa.column("is_narrowed", sa.Boolean)
    )
    tokens = sa.table("tokens", sa.column("id"), sa.column("scopes", sa.JSON))
    connection = op.get_bind()
    for user_id, roles in connection.execute(sa.select(users.c.id, users.c.roles)).all():
        if HAD_EVERYTHING & set(roles):
            chosen = sa.update(users).where(users.c.id == user_id)
            connection.execute(chosen.values(is_narrowed=True))
    for token_id, scopes in connection.execute(sa.select(tokens.c.id, tokens.c.scopes)).all():
        if RENAMED.keys() & set(scopes):
            renamed = sorted({RENAMED.get(scope, scope) for scope in scopes})
            chosen = sa.update(tokens).where(tokens.c.id == token_id)
            connection.execute(chosen.values(scopes=renamed))

"""What alembic runs to bring a database up to date: on the connection that it is given.

Not here: the migrations (`versions`) and when they are run (`database.upgrade`).
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()

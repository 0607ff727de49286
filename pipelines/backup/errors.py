"""Why a backup cannot be made, read or restored, as codes with sentences.

Not here: errors of the disk, which are said as everywhere.
"""

from __future__ import annotations

from pipelines.core.errors import CodedError, declare
from pipelines.core.i18n import mark

declare(
    {
        "BAK-201": mark("A backup is written as .tar.zst or .tar.gz."),
        "BAK-202": mark("{file} is there already. A backup never replaces another one."),
        "BAK-203": mark("{place} is not empty. A backup is restored into an empty home only."),
        "BAK-204": mark(
            "The backup holds the ledger as SQLite, but PASSERELLE_DATABASE names another "
            "database. Unset it to restore, or load the ledger into that database yourself."
        ),
        "BAK-205": mark(
            "The backup was made beside a PostgreSQL ledger and does not hold it. Load its dump "
            "with pg_restore, set PASSERELLE_DATABASE, then restore."
        ),
        "BAK-206": mark("There is nothing in {place} to back up."),
        "BAK-207": mark("Both the backup and --secrets have keys. Give the keys once."),
        "BAK-301": mark("{file} is no backup of Passerelle, or it is not whole."),
        "BAK-302": mark("The backup was changed or damaged: {path} is not as it was written."),
        "BAK-303": mark("The backup holds something that does not belong in one: {path}."),
        "BAK-304": mark(
            "The ledger in the backup was tampered with: {problem} Nothing was restored. To look "
            "at it, restore with --although-tampered."
        ),
    }
)


class BackupError(CodedError):
    """A backup or a restore cannot go on."""

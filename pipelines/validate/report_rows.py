"""The bad rows of a delivery in the sender's own layout, for them to correct and send again.

Not here: the report that says what is wrong with them (`report.py`), copying them (`landing`).

Every cell is as it was sent, formulas included, so the file goes back to its sender only. Columns
that nothing is read from come back empty: the sender has them, and names of victims shall lie in no
further file. Read as a delivery, it has just these rows. It bears the number of the report, so that
it is known for a correction when it comes back.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.settings import Settings
from pipelines.landing.excerpt import write_excerpt
from pipelines.landing.readers.read import read_text_rows
from pipelines.landing.readers.workbook_kinds import ENDINGS
from pipelines.landing.receive import Delivery, local_file
from pipelines.landing.report_number import number_of
from pipelines.validate.report import make_reasons_of
from pipelines.validate.report_file import whole
from pipelines.validate.verdict import Verdict, read_verdict
from schemas.contract import load_contract
from schemas.feed import load_feed

WORKBOOK = ".xlsx"


def rows_suffix(delivery: Delivery) -> str:
    """The ending that a file of this delivery's rows must have: the one that was sent.

    A workbook of an older or another kind comes back as one of today's.
    """
    suffix = Path(delivery.receipt.file_name).suffix
    return WORKBOOK if suffix.lower() in ENDINGS else suffix


def has_rows(verdict: Verdict, *, reused: int = 0, with_unread: bool = False) -> bool:
    """True where `write_rows` has a row to write: one that was set aside, and could be split.

    `reused` is how many rows are held for a number that another event bore before.
    """
    if reused:
        return True
    own = {rule.code for rule in load_contract(verdict.table_name).rules}
    unreadable = sum(rows for code, rows in verdict.reason_counts.items() if code not in own)
    set_aside = (verdict.rows_quarantined or 0) if verdict.is_accepted else 0
    return set_aside > (0 if with_unread else unreadable)


def write_rows(
    settings: Settings, delivery: Delivery, path: Path, *, with_unread: bool = False
) -> Path:
    """Write the rows of a judged delivery that were set aside to `path`; returns it.

    With them those that are held for a number that another event bore before; other held rows wait
    for an answer, and there is nothing to correct in them.
    `with_unread`, for the sender's own account alone, leaves the columns in that nothing is read
    from. Without it a row that could not be split stays out: nobody knows which cell is whose.
    Raises ValueError for an ending other than `rows_suffix`, or where there is no such row;
    OSError where the delivery or `path` is out of reach.
    """
    import numpy as np

    if path.suffix.lower() != rows_suffix(delivery).lower():
        raise ValueError(f"the rows of {delivery.receipt.file_name} are {rows_suffix(delivery)}")
    with connect_scratch(settings) as connection, scratch_folder(settings, "rows") as folder:
        original = local_file(delivery.payload, folder)
        verdict = read_verdict(delivery.folder)
        make_reasons_of(connection, delivery, verdict, folder)
        found = connection.execute(
            "SELECT DISTINCT source_row FROM reasons WHERE is_mended ORDER BY source_row"
        ).fetchnumpy()["source_row"]
        wanted, feed = np.asarray(found, dtype=np.int64), load_feed(delivery.feed)
        rows = read_text_rows(connection, original, feed)
        if not with_unread:
            split = connection.execute("SELECT source_row FROM text_rows").fetchnumpy()
            wanted = np.intersect1d(wanted, split["source_row"])
        if not wanted.size:
            raise ValueError("no such row was set aside")
        number = number_of(delivery.delivery_id, verdict.harmonised_at)
        read = None if with_unread else feed
        with whole(path) as half:
            write_excerpt(connection, original, rows, wanted, half, feed=read, number=number)
    return path

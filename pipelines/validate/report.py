"""The provider's report: what of a delivery was not accepted, why, and what to do, in their words.

Not here: the file that it becomes (`report_file.py`) in one of two forms.

Goes back to the service that sent the file, in its language, and shows their own cells. It carries
the handling of the feed, and is written nowhere but where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.core.duck import connect_scratch, scratch_folder
from pipelines.core.findings import Finding
from pipelines.core.i18n import translator
from pipelines.core.settings import Settings
from pipelines.landing.readers.read import TextRows, read_text_rows
from pipelines.landing.receive import Delivery, local_file
from pipelines.landing.report_number import ReportNumber, number_of
from pipelines.validate.rejected_cells import (
    Blame,
    CellTexts,
    blame,
    make_reasons,
    make_rejected,
)
from pipelines.validate.remarks import all_findings, held_rows_file
from pipelines.validate.verdict import Verdict, standing_folder
from schemas.codelist import load_codelist
from schemas.contract import Rule, all_rules, load_contract
from schemas.feed import Feed, load_feed
from schemas.text import Language


@dataclass(frozen=True)
class Reason:
    """A rule that rows of this delivery failed, and in how many rows."""

    rule: Rule
    rows: int
    blame: Blame


@dataclass(frozen=True)
class Report:
    """All that both forms of a report show; `connection` holds `rejected`, `bad_rows`, `text_rows`.

    `rows` is None where the delivery could not be read, or nothing of it was set aside or held.
    """

    language: Language
    feed: Feed
    delivery: Delivery
    verdict: Verdict
    handling: str
    findings: list[Finding]
    reasons: list[Reason]
    held: list[Reason]  # accepted rows that are in no table until somebody answers
    warnings: list[Reason]
    rejected: int
    rows: TextRows | None
    connection: duckdb.DuckDBPyConnection
    is_for_sender: bool = True  # cells, and the rows to correct, are for nobody else

    @property
    def rows_held(self) -> int:
        """How many rows wait for an answer; each under one rule."""
        return sum(reason.rows for reason in self.held)

    @property
    def number(self) -> ReportNumber:
        """What a file made from this report is known by."""
        return number_of(self.delivery.delivery_id, self.verdict.harmonised_at)

    def messages(self, held: str) -> dict[str, str]:
        """By code what is said of a row; `held` has a place for the message of one that waits."""
        lang = self.language
        said = {one.rule.code: one.rule.message[lang] for one in self.reasons}
        return said | {
            one.rule.code: held.format(message=one.rule.message[lang]) for one in self.held
        }


@contextmanager
def gathered(
    settings: Settings,
    delivery: Delivery,
    verdict: Verdict,
    lang: Language,
    *,
    is_for_sender: bool = True,
) -> Iterator[Report]:
    """All that a report of this delivery says, while the block lasts. Raises as `write_report`."""
    feed = load_feed(delivery.feed)
    with (
        connect_scratch(settings) as connection,
        scratch_folder(settings, "report") as folder,
    ):
        rows, rejected = None, 0
        make_reasons_of(connection, delivery, verdict, folder)
        reasons, held = _reasons(feed, verdict.reason_counts), _held(connection, feed)
        if held or (verdict.is_accepted and verdict.rows_quarantined):
            original = local_file(delivery.payload, folder)
            rows = read_text_rows(connection, original, feed)
            blamed = [reason.blame for reason in (*reasons, *held)]
            _ = translator(lang)
            texts = CellTexts(_("(empty)"), "" if is_for_sender else _("(not shown)"))
            rejected = make_rejected(connection, rows, blamed, texts)
        yield Report(
            language=lang,
            feed=feed,
            delivery=delivery,
            verdict=verdict,
            handling=_handling(feed, lang, has_rows=rows is not None),
            findings=[one.finding for one in all_findings(delivery.folder, verdict)],
            reasons=reasons,
            held=held,
            warnings=_reasons(feed, verdict.warning_counts),
            rejected=rejected,
            rows=rows,
            connection=connection,
            is_for_sender=is_for_sender,
        )


def make_reasons_of(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, verdict: Verdict, folder: Path
) -> None:
    """Make `reasons` (see `make_reasons`) of an accepted delivery; empty for a refused one.

    Raises OSError where the delivery is out of reach.
    """
    quarantined, held = "", ""
    if verdict.is_accepted:
        if verdict.rows_quarantined:
            judged = standing_folder(delivery.folder)
            quarantined = str(local_file(judged / "quarantined.parquet", folder))
        if (place := held_rows_file(delivery.folder)) is not None:
            held = str(local_file(place, folder))
    mended = [rule.code for rule in load_contract(verdict.table_name).lake_rules]
    make_reasons(connection, quarantined, held, mended)


def _held(connection: duckdb.DuckDBPyConnection, feed: Feed) -> list[Reason]:
    """The rules for which rows are held, from `reasons`."""
    counts = connection.execute(
        "SELECT code, count(*) FROM reasons WHERE is_held GROUP BY code"
    ).fetchall()
    return _reasons(feed, dict(counts))


def _reasons(feed: Feed, counts: dict[str, int]) -> list[Reason]:
    """The rules that were failed, the most frequent first."""
    rules = all_rules()  # a row that could not be split fails none of the table's own
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Reason(rules[code], rows, blame(feed, rules[code])) for code, rows in ordered]


def _handling(feed: Feed, lang: Language, *, has_rows: bool) -> str:
    """The strictest handling of what the report shows: the feed's, and that of each column read."""
    levels = {row["code"]: row for row in load_codelist("handling_levels")}
    shown = {feed.handling}
    if has_rows:
        contract = load_contract(feed.table)
        shown |= {contract.column(target).classification for target in feed.map}
    strictest = max(shown & set(levels), key=lambda code: int(levels[code]["rank"]))
    return levels[strictest][f"label_{lang}"].upper()

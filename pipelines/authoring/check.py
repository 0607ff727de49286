"""Check a feed: its folder against the contract and the code lists, its examples by running them.

Not here: proposing a feed (`guess.py`), what the folder alone shows (`folder.py`), real deliveries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from pipelines.authoring.folder import folder_problems, untested_families
from pipelines.core.duck import scratch_folder
from pipelines.core.findings import DeliveryError, Finding
from pipelines.core.i18n import Translator, translator
from pipelines.core.settings import Settings
from schemas.contract import all_rules, table_names
from schemas.contract_check import check
from schemas.feed import Feed, load_feed
from schemas.problem import ContractError
from schemas.text import Language

# Examples tell of 2026; on a machine whose clock is behind they would lie in the future.
EARLIEST_ARRIVAL = dt.datetime(2027, 1, 1)
AT_ONCE = 4


@dataclass(frozen=True)
class CheckedFile:
    """What one file of a feed's folder did: the declaration, an example or a counterexample.

    `expects` is the rule code that a counterexample must raise, empty for the others. `raised`
    counts the rows by error code; `problems` are sentences for the author, none where all is well.
    `untested` names the families of rules (`6xx`) that no counterexample of the feed breaks.
    """

    path: Path
    expects: str = ""
    rows_read: int = 0
    rows_accepted: int = 0
    raised: dict[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """True where the file does what it is there to do."""
        return not self.problems


def check_feed(settings: Settings, folder: Path) -> list[CheckedFile]:
    """The declaration of the feed in `folder`, then each example and counterexample, in order.

    Nothing is landed or published: files are read and harmonised in a scratch folder. A feed.yaml
    that cannot be loaded is a problem of the first result, and there are no others then. Raises
    ContractError where the table that it fills is not in order: no fault of the feed.
    """
    _ = translator(settings.language)
    declaration = folder / "feed.yaml"
    try:
        feed = load_feed(folder)
    except KeyError:
        return [CheckedFile(declaration, problems=(_("There is no feed.yaml in this folder."),))]
    except ContractError as error:
        words = [one.coded(settings.language) for one in error.problems]
        return [CheckedFile(declaration, problems=tuple(words))]
    if feed.table in table_names("data"):
        check(feed.table)
    problems = folder_problems(feed, _)
    results = [
        CheckedFile(declaration, problems=tuple(problems), untested=tuple(untested_families(feed)))
    ]
    if not _is_runnable(problems, feed):
        return results
    wanted = [(path, "") for path in feed.examples()]
    wanted += list(feed.counterexamples().items())
    settings = replace(settings, threads=1)  # small files: several at once, each on one thread
    with scratch_folder(settings, "check") as scratch, ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [
            pool.submit(_run, settings, feed, path, code, scratch / str(at))
            for at, (path, code) in enumerate(wanted)
        ]
        return results + [run.result() for run in runs]


def _is_runnable(problems: Sequence[str], feed: Feed) -> bool:
    """False where the declaration cannot be compiled, so that running files would say nothing."""
    from pipelines.harmonise.compile import compile_feed
    from schemas.contract import load_contract

    try:
        compile_feed(feed, load_contract(feed.table))
    except (KeyError, OSError, ValueError):
        return not problems
    return True


def _run(settings: Settings, feed: Feed, path: Path, code: str, place: Path) -> CheckedFile:
    from pipelines.harmonise.run import harmonise_file

    _ = translator(settings.language)
    arrival = max(dt.datetime.now(dt.UTC).replace(tzinfo=None), EARLIEST_ARRIVAL)
    try:
        done = harmonise_file(
            settings, feed, path, place, delivery_id=f"{feed.feed}.check", received_at=arrival
        )
    except DeliveryError as refused:
        return _refused(path, code, refused.findings, settings.language, _)
    except ContractError:
        raise
    except (duckdb.Error, OSError, LookupError, TypeError, ValueError) as error:
        said = str(error).partition("\n")[0]
        problem = _("The feed cannot be applied to this file: {problem}", problem=said)
        return CheckedFile(path, code, problems=(problem,))
    raised = done.reason_counts
    judge = _judge_counterexample if code else _judge_example
    return CheckedFile(
        path,
        code,
        done.rows_read,
        done.rows_accepted,
        raised,
        tuple(judge(code, raised, done.rows_read, settings.language, _)),
    )


def _refused(
    path: Path, code: str, findings: Sequence[Finding], language: Language, _: Translator
) -> CheckedFile:
    """A file that was refused whole: right only for a counterexample that names the finding."""
    raised = {finding.code: 1 for finding in findings}
    if code in raised:
        return CheckedFile(path, code, raised=raised)
    words = [f"{finding.code} {finding.text(language)}" for finding in findings]
    return CheckedFile(path, code, raised=raised, problems=tuple(words))


def _judge_example(
    code: str, raised: dict[str, int], rows: int, language: Language, _: Translator
) -> list[str]:
    del code
    problems = [_said(name, count, language, _) for name, count in raised.items()]
    return problems or ([] if rows else [_("No data row was read.")])


def _judge_counterexample(
    code: str, raised: dict[str, int], rows: int, language: Language, _: Translator
) -> list[str]:
    """The code must be raised by some row; other errors may come with it, and are told."""
    del rows
    if code in raised:
        return []
    problem = _("Expected {code}, which no row raised.", code=code)
    return [problem, *(_said(name, count, language, _) for name, count in raised.items())]


def _said(code: str, count: int, language: Language, _: Translator) -> str:
    return _(
        "{code} in {rows} rows: {words}",
        code=code,
        rows=count,
        words=all_rules()[code].message[language],
    )

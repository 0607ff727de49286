"""The agreements of a folder, beside one another: what is wrong with one may lie in another.

Not here: reading one (`agreement.py`) and judging it (`agreement_check.py`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from schemas.agreement import AGREEMENTS_FOLDER, Agreement, agreement_files, load_agreement
from schemas.agreement_check import problems
from schemas.agreement_problem import AgreementError, AgreementProblem


def load_agreements(folder: Path = AGREEMENTS_FOLDER) -> list[Agreement]:
    """The agreements of a folder, by name.

    Raises AgreementError with everything that is wrong where one of them cannot be relied on: a
    file that is half understood opens nothing, and hides no restriction.
    """
    if strays := sorted(folder.glob("*.yml")):
        raise AgreementError(AgreementProblem("AGR-114", one.name, {}) for one in strays)
    files = agreement_files(folder)
    stamps = tuple((p.resolve(), p.stat().st_mtime_ns, p.stat().st_size) for p in files)
    return list(_load_all(stamps))


@cache
def _load_all(stamps: tuple[tuple[Path, int, int], ...]) -> tuple[Agreement, ...]:
    loaded: list[Agreement] = []
    wrong: list[AgreementProblem] = []
    for path, _changed_ns, _size in stamps:
        try:
            loaded.append(load_agreement(path))
        except AgreementError as error:
            wrong += error.problems
    for agreement in loaded:
        others = [one for one in loaded if one is not agreement]
        wrong += [one for one in problems(agreement, others=others) if one.level == "error"]
    if wrong:
        raise AgreementError(wrong)
    return tuple(loaded)

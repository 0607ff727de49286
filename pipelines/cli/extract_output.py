"""How extracts are told on a terminal: what one holds, would hold, or is proved to hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.session import Session, table
from pipelines.cli.words import _, language, number, quoted
from schemas.text import printable

if TYPE_CHECKING:
    from pipelines.release.disclosure.conflict import Conflict
    from pipelines.release.extract import Extract
    from pipelines.release.package.manifest import Manifest
    from pipelines.release.package.verify import AuthenticExtract
    from pipelines.release.preview import Preview

Pairs = list[tuple[str, str]]
WIDEST_CELL = 24


def show_extract(
    session: Session, made: Extract, copy: Path | None, replaced: Sequence[str] = ()
) -> None:
    """What was made, which outdated extracts it takes the place of, and how to check it."""
    from pipelines.release.package.readme import OTHERS_ACROSS

    if session.is_json:
        session.print_json(
            {
                **_as_data(made.manifest),
                "file": str(copy or made.file),
                "sha256": made.sha256,
                "bytes": made.bytes,
                "replaces": list(replaced),
            }
        )
        return
    _show_pairs(session, [*_about(made.manifest), (_("File"), str(copy or made.file))])
    _show_clauses(session, made.manifest)
    if made.manifest.has_others_across:
        session.print_line(_(OTHERS_ACROSS[made.manifest.form]))
    _show_replaced(session, replaced)
    check = f"passerelle verify {quoted(copy or made.file)}"
    session.print_line(_("Check it: {command}", command=check))


def show_conflict(session: Session, conflict: Conflict) -> None:
    """Beside a refusal: the earlier counts in the way, coarser forms that pass, whose consent."""
    from rich.text import Text

    from pipelines.release.disclosure import conflict_words as words

    if session.is_json:
        return
    err = session.err
    for title, lines in (
        (_("In the way:"), words.obstacle_lines(conflict, language())),
        (_("What passes:"), [words.command_of(form) for form in conflict.coarser]),
    ):
        if lines:
            err.print(Text(title, style="bold"))
        for line in lines:
            err.print(Text(f"  {line}"), no_wrap=True, overflow="ignore", crop=False)
    if said := words.consent_line(conflict, language()):
        err.print(Text(said))


def show_verified(session: Session, file: Path, verified: AuthenticExtract) -> None:
    """That it is authentic, and what it says of itself."""
    from rich.text import Text

    from pipelines.release.package.keys import spoken

    manifest = verified.manifest
    if session.is_json:
        session.print_json(
            {
                "is_authentic": True,
                **_as_data(manifest),
                "file": str(file),
                "sha256": verified.sha256,
                "bytes": verified.bytes,
                "key_fingerprint": verified.key_fingerprint,
            }
        )
        return
    session.print(Text(_("Authentic and unchanged."), style="bold green"))
    made_by = f"{manifest.issuer.label[language()]}, Passerelle {manifest.program_version}"
    proved = [(_("Made by"), made_by), (_("Signed with the key"), spoken(verified.key_fingerprint))]
    _show_pairs(session, [*proved, *_about(manifest)])
    _show_clauses(session, manifest)


def show_preview(session: Session, found: Preview) -> None:
    """What the extract would hold, and its first rows."""
    from rich.text import Text

    from pipelines.release.package.readme import OTHERS_ACROSS

    if session.is_json:
        session.print_json(
            {
                "row_count": found.row_count,
                "columns": [one.name for one in found.columns],
                "rows": found.rows.to_pylist(),
                "clauses": found.flow.told(),
                "has_others_across": found.flow.has_others_across,
                "masked_columns": list(found.masked_columns),
                "handling": found.marking.level,
                "k": found.risk.k_min if found.risk else None,
                "absence": found.absence
                and {"code": found.absence.code, "message": found.absence.text(language())},
            }
        )
        return
    session.print(Text(_("Nothing was made: this is what it would hold."), style="bold"))
    if found.absence:
        session.print(f"{found.absence.code}  {found.absence.text(language())}")
    pairs = [
        (_("Rows"), number(found.row_count)),
        (_("Handling"), f"{found.marking.label[language()]} ({found.marking.tlp})"),
    ]
    if found.masked_columns:
        pairs.append((_("Masked columns"), ", ".join(found.masked_columns)))
    if found.risk and found.risk.k_min:
        pairs.append((_("Records alike, at least"), number(found.risk.k_min)))
    _show_pairs(session, pairs)
    _show_flow(session, found.flow.told())
    form = "counts" if found.threshold else "records"
    if found.flow.has_others_across:
        session.print_line(_(OTHERS_ACROSS[form]))
    for row in found.rows.slice(0, SHOWN_RECORDS).to_pylist():
        _show_pairs(session, [(name, _cell(value)) for name, value in row.items()])


SHOWN_RECORDS = 3


def _about(manifest: Manifest) -> Pairs:
    """Who gets what, for what, by which agreement."""
    lang = language()
    pairs = [
        (_("Extract"), manifest.extract_id),
        (_("Table"), f"{manifest.title[lang]} ({manifest.table})"),
        (_("For whom"), manifest.recipient.label[lang]),
        (_("For which purpose"), manifest.purpose.label[lang]),
        (_("As of"), manifest.as_of.isoformat()),
        (_("Handling"), f"{manifest.handling.label[lang]} ({manifest.handling.tlp})"),
        (_("Rows"), number(manifest.row_count)),
    ]
    for one in manifest.agreements:
        said = _(
            "{title} ({name}, version {version}), valid until {day}",
            title=one.title[lang],
            name=one.name,
            version=one.version,
            day=one.valid_until.isoformat(),
        )
        pairs.append((_("Agreement"), said))
    if manifest.masked_columns:
        pairs.append((_("Masked columns"), ", ".join(manifest.masked_columns)))
    if manifest.risk and manifest.risk.k:
        pairs.append((_("Records alike, at least"), number(manifest.risk.k)))
    if manifest.suppressed_cells is not None:
        pairs.append((_("Counts left empty"), number(manifest.suppressed_cells)))
    return pairs


def _show_clauses(session: Session, manifest: Manifest) -> None:
    _show_flow(
        session,
        [
            {
                "clause": one.clause,
                "kept": one.rows_kept,
                "coarsened": one.rows_coarsened,
                "masked": one.cells_masked,
                "dropped": one.rows_dropped,
            }
            for one in manifest.clauses
        ],
    )


def _show_replaced(session: Session, extracts: Sequence[str]) -> None:
    if extracts:
        session.print_line(
            _(
                "Some records in {extracts} are told more coarsely since, because too few like "
                "them are left. Whoever has those extracts should use this one instead.",
                extracts=", ".join(extracts),
            )
        )


def _show_flow(session: Session, flow: list[dict[str, Any]]) -> None:
    """What each clause let out, and what it did not."""
    from rich.text import Text

    from pipelines.release.package.readme import dropped_because

    heads = (_("Clause"), _("Rows"), _("Made coarser"), _("Masked cells"), _("Held back"))
    grid = table(*heads, numbers=[1, 2])
    for one in flow:
        masked = ", ".join(f"{column} {count}" for column, count in one["masked"].items())
        dropped = ", ".join(
            f"{count} {dropped_because(reason, language())}"
            for reason, count in one["dropped"].items()
        )
        cells = (one["clause"], one["kept"], one["coarsened"], masked or "–", dropped or "–")
        grid.add_row(*(Text(_harmless(cell)) for cell in cells))
    session.print()
    session.print(grid)
    session.print()


def _show_pairs(session: Session, pairs: Pairs) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for heading, text in pairs:
        grid.add_row(Text(heading, style="dim"), Text(_harmless(text)))
    session.print(grid)


def _harmless(text: str) -> str:
    """What is shown was written by somebody else."""
    return printable(text, also="\n")


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)


def _as_data(manifest: Manifest) -> dict[str, Any]:
    """What a machine is told: the manifest without the query."""
    return manifest.model_dump(mode="json", exclude={"query"})

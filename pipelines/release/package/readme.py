"""The page that comes with an extract, in the recipient's language: what it is and how to treat it.

Not here: the facts (`manifest.py`) and the meaning of the columns (`dictionary.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelines.core.i18n import Translator, mark, translator
from pipelines.release.package.formats.registry import FORMATS
from pipelines.release.package.keys import PUBLIC_NAME, spoken
from pipelines.release.package.manifest import ClauseUsed, Manifest
from pipelines.release.policy.wording import coarseness, column_names, onward_sharing
from schemas.text import Language, number

PAGES = Path(__file__).parent / "pages"
About = list[tuple[str, str]]

NAMES: dict[str, dict[Language, str]] = {
    "readme": {"en": "README.html", "fr": "LISEZ-MOI.html"},
    "dictionary": {"en": "dictionary.html", "fr": "dictionnaire.html"},
}
# What is said where a choice cuts through what is told.
OTHERS_ACROSS: dict[str, str] = {
    "records": mark(
        "Others are told so coarsely that they lie only partly in what was asked; they are left "
        "out. Whole months, whole countries and whole sections of offences take them in."
    ),
    "counts": mark(
        "Only counts that lie wholly in what was asked are given: of periods, areas and groups of "
        "offences that it cuts through there is none."
    ),
}
# Why rows were held back, as `eligible.REASONS` names it.
DROPPED = {
    "ceiling": mark("their marking is above what the clause allows"),
    "sensitivity": mark("sensitive records"),
    "delay": mark("too recent"),
    "restriction": mark("a restriction of the provider"),
    "k": mark("too few records alike"),
    "repeated": mark("the same count told in another breakdown, or of an earlier day"),
}


def about(manifest: Manifest) -> About:
    """Headings and texts, in the language of the extract."""
    language = manifest.language
    _ = translator(language)
    parts = [
        (_("Reference"), manifest.extract_id),
        (_("What it is"), _what(manifest, _)),
        (_("For whom"), manifest.recipient.label[language]),
        (_("For which purpose"), _purpose(manifest, _)),
        (_("Handling"), _handling(manifest, _)),
        (_("What was asked"), _asked(manifest, _)),
        (_("Under which agreement"), _agreements(manifest, _)),
        *[(one.clause, _clause(one, manifest, _)) for one in manifest.clauses],
        (_("Providers’ restrictions"), _restrictions(manifest, _)),
        (_("Masked columns"), _columns(manifest, manifest.masked_columns)),
        (_("Protection of persons"), _protection(manifest, _)),
        (_("Remaining risk"), _accepted(manifest, _)),
        (_("Passing it on"), _onward(manifest)),
        (_("How to read the file"), _(FORMATS[manifest.file_format].reading) + " " + _times(_)),
        (_("How to check it"), _check(manifest, _)),
        (
            _("Questions"),
            _("Ask whoever gave you this file and quote the reference. Report a loss at once."),
        ),
    ]
    return [(heading, text) for heading, text in parts if text]


def write_page(manifest: Manifest, marking_line: str) -> bytes:
    """The page, in UTF-8: no script, nothing to fetch, the marking on every printed page."""
    _ = translator(manifest.language)
    title = _("Extract: {title}", title=manifest.title[manifest.language])
    return render(
        "readme.j2",
        lang=manifest.language,
        marking=marking_line,
        title=title,
        parts=about(manifest),
        reference=manifest.extract_id,
    )


def render(template: str, **values: Any) -> bytes:
    """One page from its template."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**values).encode("utf-8")


def _what(manifest: Manifest, _: Translator) -> str:
    rows = number(manifest.row_count, manifest.language)
    title = manifest.title[manifest.language]
    if manifest.form == "counts":
        return _("{title}: {rows} counts, no single record.", title=title, rows=rows)
    return _("{title}: {rows} records, one a row.", title=title, rows=rows)


def _purpose(manifest: Manifest, _: Translator) -> str:
    purpose = manifest.purpose.label[manifest.language]
    return _("{purpose}. It may be used for nothing else.", purpose=purpose)


def _handling(manifest: Manifest, _: Translator) -> str:
    level, tlp = manifest.handling.label[manifest.language], manifest.handling.tlp
    return _("{level} ({tlp}), for this whole zip and any copy.", level=level, tlp=tlp)


def _asked(manifest: Manifest, _: Translator) -> str:
    asked = manifest.asked
    pairs = (
        (_("from"), asked.since.isoformat() if asked.since else ""),
        (_("to"), asked.until.isoformat() if asked.until else ""),
        (_("areas"), ", ".join(asked.areas)),
        (_("offences"), ", ".join(asked.offences)),
        (_("columns"), _columns(manifest, asked.columns)),
        (_("counted by"), _columns(manifest, asked.dimensions)),
    )
    said = [f"{heading} {text}" for heading, text in pairs if text]
    words = "; ".join(said) if said else _("everything that the agreement permits")
    line = _("{words} (as of {day})", words=words, day=manifest.as_of.isoformat())
    return f"{line}\n{_(OTHERS_ACROSS[manifest.form])}" if manifest.has_others_across else line


def _agreements(manifest: Manifest, _: Translator) -> str:
    language = manifest.language
    lines = []
    for one in manifest.agreements:
        line = _(
            "{title} ({name}, version {version}), valid until {day}. {reference}",
            title=one.title[language],
            name=one.name,
            version=one.version,
            day=one.valid_until.isoformat(),
            reference=one.legal_reference[language],
        )
        illustrative = _("Illustrative: not a real agreement.")
        lines.append(f"{line} {illustrative}" if one.status == "illustrative" else line)
    return "\n".join(lines)


def _clause(clause: ClauseUsed, manifest: Manifest, _: Translator) -> str:
    language = manifest.language
    lines = [
        clause.summary[language],
        _("Rows by this clause: {rows}.", rows=clause.rows_kept),
        _sentence(coarseness(clause.precision, language)),
    ]
    if clause.rows_coarsened != "0":
        lines.append(_("Made coarser, so that more are alike: {rows}.", rows=clause.rows_coarsened))
    if clause.cells_masked:
        masked = ", ".join(
            f"{_columns(manifest, [column])} {count}"
            for column, count in clause.cells_masked.items()
        )
        lines.append(_("Cells masked: {masked}.", masked=masked))
    for reason, count in clause.rows_dropped.items():
        said = dropped_because(reason, language)
        lines.append(_("Held back: {count} ({reason}).", count=count, reason=said))
    if not manifest.is_withheld_told:
        lines.append(_("How much was held back is not told for so narrow a choice."))
    return "\n".join(lines)


def dropped_because(reason: str, language: Language) -> str:
    """Why rows were held back, in words."""
    return translator(language)(DROPPED[reason]) if reason in DROPPED else reason


def _restrictions(manifest: Manifest, _: Translator) -> str:
    lines = []
    for one in manifest.restrictions:
        reason = one.reason[manifest.language]
        columns = _columns(manifest, one.columns)
        lines.append(
            _(
                "{clause}: {reason} Masked: {columns}.",
                clause=one.clause,
                reason=reason,
                columns=columns,
            )
            if columns
            else _("{clause}: {reason}", clause=one.clause, reason=reason)
        )
    return "\n".join(lines)


def _protection(manifest: Manifest, _: Translator) -> str:
    lines = []
    if manifest.form == "counts":
        lines.append(
            _(
                "Counts below {threshold} are left empty, and with them as many others as are "
                "needed so that none follows from a total.",
                threshold=manifest.small_cell_threshold or 0,
            )
        )
        if manifest.suppressed_cells is None:
            lines.append(_("They are not listed: what is not listed is left out or is nothing."))
        else:
            left_out = number(manifest.suppressed_cells, manifest.language)
            lines.append(_("Left empty: {count}. What is not listed is zero.", count=left_out))
    elif manifest.risk is not None and manifest.risk.k > 1:
        lines.append(
            _("Each record is like at least {count} others in it.", count=manifest.risk.k - 1)
        )
    lines.append(
        _("Do not try to find out who a record is about, nor join it to other lists of persons.")
    )
    return "\n".join(lines)


def _accepted(manifest: Manifest, _: Translator) -> str:
    """Who accepted that these counts tell something together with earlier ones."""
    lines = [
        _(
            "Accepted by {organisation} in writing on {day} (consent {consent}, until {until}): "
            "{reason}",
            organisation=one.organisation.label[manifest.language],
            day=one.given_on.isoformat(),
            consent=one.consent,
            until=one.until.isoformat(),
            reason=one.reason,
        )
        for one in manifest.accepted_by
    ]
    told = _("Together with earlier counts these may tell a small number; treat them as such.")
    return "\n".join([*lines, told]) if lines else ""


def _onward(manifest: Manifest) -> str:
    said = [onward_sharing(one.onward, manifest.language) for one in manifest.clauses]
    return "\n".join(_sentence(one) for one in dict.fromkeys(said))


def _columns(manifest: Manifest, names: Iterable[str]) -> str:
    """Columns by the words over them."""
    return ", ".join(column_names(manifest.table, names, manifest.language))


def _sentence(phrase: str) -> str:
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _times(_: Translator) -> str:
    return _(
        "Times to the minute are in UTC; days, weeks and months are those of the calendar at the "
        "place. Beside a code stands what it means, where there is a list."
    )


def _check(manifest: Manifest, _: Translator) -> str:
    return _(
        "passerelle verify FILE.zip --key {key} says whether a single byte was changed. It needs "
        "no network. Get the public key by another way than this file, and compare its "
        "fingerprint: {fingerprint}.",
        key=PUBLIC_NAME,
        fingerprint=spoken(manifest.key_fingerprint),
    )

"""The data dictionary of one extract: just the columns that left, in the recipient's language.

Not here: the dictionary of everything (`schemas/render/dictionary.py`), whose words these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.core.i18n import translator
from pipelines.release.package.formats.content import Field
from pipelines.release.package.manifest import Manifest
from pipelines.release.package.readme import render


def write_dictionary(manifest: Manifest, fields: Sequence[Field], marking_line: str) -> bytes:
    """The page, in UTF-8, marked as the extract is."""
    _ = translator(manifest.language)
    title = manifest.title[manifest.language]
    return render(
        "dictionary.j2",
        lang=manifest.language,
        marking=marking_line,
        title=_("What the columns mean: {title}", title=title),
        intro=_("A row without a value was not told, not known or not permitted; never zero."),
        headings=[
            _("Column"),
            _("Heading"),
            _("Type"),
            _("Meaning"),
            _("List of codes"),
            _("HXL tag"),
        ],
        fields=fields,
        reference=manifest.extract_id,
    )

"""`python -m pipelines.locale`: bring the French words up to date with the sentences in the code.

Not here: translating; a new sentence is left empty in French, and a test asks for its words.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pipelines.core.i18n import LOCALE_FOLDER

PIPELINES = LOCALE_FOLDER.parent
# `_` says a sentence, `mark` declares one to be said later, a lake's Problem has one as its second.
KEYWORDS = {"_": None, "mark": None, "Problem": (2,)}
FRENCH = LOCALE_FOLDER / "fr.po"
HEADER = b"""\
# French words of the program; `python -m pipelines.locale` finds the sentences.
msgid ""
msgstr ""
"Language: fr\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
WIDTH = 100


def sentences(folder: Path = PIPELINES) -> list[str]:
    """Every sentence that the program says, in English, each once, in alphabetical order."""
    found = extract_from_dir(str(folder), method_map=METHODS, keywords=KEYWORDS)
    return sorted({str(message) for _file, _line, message, _comments, _context in found})


def catalogue() -> Catalog:
    """The catalogue as it is on disk."""
    with FRENCH.open("rb") as stream:
        return read_po(stream, locale="fr")


def update() -> list[str]:
    """Write the catalogue with exactly the sentences of the code; returns those without words."""
    known = {str(m.id): str(m.string) for m in catalogue()}
    new = Catalog(locale="fr")
    for sentence in sentences():
        new.add(sentence, known.get(sentence, ""))
    with FRENCH.open("wb") as stream:
        stream.write(HEADER)
        write_po(stream, new, width=WIDTH, omit_header=True, sort_output=True)
    return [str(message.id) for message in new if message.id and not message.string]


if __name__ == "__main__":
    missing = update()
    for message in missing:
        sys.stderr.write(f"not translated: {message}\n")
    sys.exit(bool(missing))

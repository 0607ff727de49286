"""`python -m pipelines.locale`: bring the catalogues up to date with the sentences in the code.

Not here: translating; a new sentence is left empty in French, and a test asks for its words.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from pipelines.i18n import LOCALE_FOLDER
from schemas.text import LANGUAGES, Language

PIPELINES = LOCALE_FOLDER.parent
# `_` says a sentence, `mark` declares one to be said later, a lake's Problem has one as its second,
# its errors as their first.
ERRORS = ("LakeError", "LakeBusy", "NothingPublished", "CommitConflict")
KEYWORDS = {"_": None, "mark": None, "Problem": (2,), **dict.fromkeys(ERRORS)}
HEADER = """\
# {name} words of the program; `python -m pipelines.locale` finds the sentences.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
NAMES = {"en": "English", "fr": "French"}
WIDTH = 100


def sentences(folder: Path = PIPELINES) -> list[str]:
    """Every sentence that the program says, in English, each once, in alphabetical order."""
    found = extract_from_dir(str(folder), method_map=METHODS, keywords=KEYWORDS)
    return sorted({str(message) for _file, _line, message, _comments, _context in found})


def catalogue(language: Language) -> Catalog:
    """The catalogue of a language as it is on disk."""
    with (LOCALE_FOLDER / f"{language}.po").open("rb") as stream:
        return read_po(stream, locale=language)


def update(language: Language) -> list[str]:
    """Write the catalogue with exactly the sentences of the code; returns those without words."""
    place = LOCALE_FOLDER / f"{language}.po"
    known = {str(m.id): str(m.string) for m in catalogue(language)} if place.exists() else {}
    new = Catalog(locale=language)
    for sentence in sentences():
        words = sentence if language == "en" else known.get(sentence, "")
        new.add(sentence, words)
    with place.open("wb") as stream:
        stream.write(HEADER.format(name=NAMES[language], language=language).encode())
        write_po(stream, new, width=WIDTH, omit_header=True, sort_output=True)
    return [str(message.id) for message in new if message.id and not message.string]


if __name__ == "__main__":
    missing = {language: update(language) for language in LANGUAGES}
    for language, messages in missing.items():
        for message in messages:
            sys.stderr.write(f"{language}: {message}\n")
    sys.exit(any(missing.values()))

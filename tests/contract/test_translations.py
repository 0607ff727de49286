"""Every sentence of the program has its French: none missing, none left over, none half said.

Not here: words of the data, which contracts, code lists and feeds carry in both languages.

`python -m pipelines.locale` brings the catalogue up to date and names what it left empty.
"""

from __future__ import annotations

import re
from string import Formatter

from pipelines.core.i18n import translator
from pipelines.locale.__main__ import catalogue, sentences

NOT_SET_AS_FRENCH_IS = re.compile(
    r"[^\u202f][;!?](?=\s|$)|[^\u00a0]:(?=\s|$)|«[^\u00a0]|[^\u00a0]»|[ \u00a0][;!?]"
)


def test_every_sentence_is_translated_and_no_other():
    said = set(sentences())
    written = {str(message.id) for message in catalogue() if message.id}
    assert said - written == set(), "missing: run python -m pipelines.locale"
    assert written - said == set(), "no longer said: run python -m pipelines.locale"
    assert len(said) > 150


def test_no_translation_is_empty_or_doubtful():
    for message in catalogue():
        if message.id:
            assert str(message.string).strip(), f"not translated: {message.id}"
            assert not message.fuzzy, f"doubtful: {message.id}"


def test_values_have_the_same_names():
    for message in catalogue():
        if message.id:
            assert names(str(message.string)) == names(str(message.id)), message.id


def names(sentence: str) -> set[str]:
    return {name for _text, name, _format, _how in Formatter().parse(sentence) if name is not None}


def test_french_signs_have_their_spaces():
    """A narrow space before ; ! ? and a space that does not break before : and within « »."""
    for message in catalogue():
        if message.id:
            words = re.sub(r"https?:\S+|--?\w[\w-]*|“[^”]*”|\{[^}]*\}", "x", str(message.string))
            assert not NOT_SET_AS_FRENCH_IS.search(words), message.string


def test_french_is_not_english():
    """A sentence that is the same in both was forgotten, unless it is a name or a single word."""
    for message in catalogue():
        if message.id and len(str(message.id).split()) > 2:
            assert message.string != message.id


def test_a_catalogue_is_what_the_program_speaks():
    assert translator("fr")("Feed") == "Flux"
    assert translator("fr")("There is no feed named “{name}”.", name="x").startswith("Il n’existe")
    assert translator("en")("Feed") == "Feed"

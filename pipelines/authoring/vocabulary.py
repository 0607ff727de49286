"""Which target columns a source column's name could mean: labels, names and synonyms, EN and FR.

Not here: what its values say (`values.py`) and the choice between candidates (`match.py`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from pipelines.authoring.sample import Sample
from schemas.contract import Contract
from schemas.feed import FEEDS_FOLDER
from schemas.text import read_csv

SYNONYMS_FILE = FEEDS_FOLDER / "synonyms.csv"
IGNORE = "ignore:"
EXACT_SYNONYM, EXACT_NAME = 1.0, 0.97
LAST_PART = 0.85  # of a nested name: `victims.killed` read as `killed`
ALIKE = 0.88
PERSONAL = tuple(IGNORE + kind for kind in ("name", "narrative", "biometric"))
# Besides the words that stand alone among the synonyms: whose column it is, in the key's spelling.
PEOPLE = (
    *("accused", "author", "auteur", "auteurs", "chauffeur", "chef", "commandant", "commander"),
    *("conducteur", "contrevenant", "detainee", "detenu", "driver", "identity", "individu"),
    *("inspecteur", "leader", "magistrat", "mec", "officier", "offender", "owner", "passager"),
    *("passenger", "patient", "perpetrator", "perpetrators", "person", "personne", "personnes"),
    *("persons", "plaintiff", "prevenu", "prisoner", "proprietaire", "signataire"),
    *("supervisor", "suspect", "suspects", "titulaire", "traveller", "victim", "victime"),
    *("victimes", "victims", "voyageur"),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Meaning:
    """A target that a name could mean, how sure (0 to 1), and the language of the word."""

    target: str
    score: float
    language: str


@dataclass(frozen=True)
class _Phrase:
    key: str
    target: str
    language: str
    weight: float


class Vocabulary:
    """The words for the columns of one table."""

    def __init__(self, sample: Sample, contract: Contract) -> None:
        """Make the look-up keys of all words, by the pipeline's own macro."""
        self.sample = sample
        words = _words(contract)
        keys = sample.keys([word for word, *_ in words])
        self.phrases = [
            _Phrase(key, target, language, weight)
            for key, (_, target, language, weight) in zip(keys, words, strict=True)
            if key
        ]

    def meanings(self, heading: str) -> dict[str, Meaning]:
        """The targets that a heading could mean, by target."""
        found: dict[str, Meaning] = {}
        for key, factor in self._readings(heading):
            for phrase in self.phrases:
                score = factor * phrase.weight * _likeness(key, phrase.key)
                if phrase.target.startswith(IGNORE) and key != phrase.key and " " not in phrase.key:
                    continue  # `name` is a person's, `name of the region` is not
                known = found.get(phrase.target)
                if score >= 0.45 and (known is None or score > known.score):
                    found[phrase.target] = Meaning(phrase.target, score, phrase.language)
        return found

    def is_of_people(self, heading: str) -> bool:
        """True where a heading suggests that names of persons, or texts about them, are below."""
        if any(target in PERSONAL for target in self.meanings(heading)):
            return True
        words = {word for key, _ in self._readings(heading) for word in key.split()}
        alone = {p.key for p in self.phrases if p.target in PERSONAL and " " not in p.key}
        return bool(words & {*alone, *PEOPLE})

    def _readings(self, heading: str) -> list[tuple[str, float]]:
        """The keys of a heading: as it stands, by its words, and by its last parts."""
        parts = [part for part in re.split(r"\s*/\s*|\.", _CAMEL.sub(" ", heading)) if part.strip()]
        texts = [(heading, 1.0), (_CAMEL.sub(" ", heading), 1.0)]
        if len(parts) > 1:
            texts.append((" ".join(parts[-2:]), 0.95))
            texts.append((parts[-1], LAST_PART))
        keys = self.sample.keys([text for text, _ in texts])
        return [(key, factor) for key, (_, factor) in zip(keys, texts, strict=True) if key]


def _words(contract: Contract) -> list[tuple[str, str, str, float]]:
    """Word, target, language and weight of everything that a column can be called."""
    columns = contract.columns_filled_by("feed", "input")
    targets = {column.name for column in columns}
    words = [
        (row["word"], row["target"], row["language"], EXACT_SYNONYM)
        for row in read_csv(SYNONYMS_FILE)
        if row["target"].startswith(IGNORE) or row["target"].partition(":")[0] in targets
    ]
    for column in columns:
        words.append((column.name.replace("_", " "), column.name, "en", EXACT_NAME))
        words += [(column.label[lang], column.name, lang, EXACT_NAME) for lang in ("en", "fr")]
    return words


def _likeness(key: str, phrase: str) -> float:
    """1 for the same words; less where the phrase is part of the name, or nearly spelt so."""
    if key == phrase:
        return 1.0
    words, wanted = key.split(), phrase.split()
    if len(wanted) < len(words) and f" {phrase} " in f" {key} ":
        return 0.5 + 0.4 * len(wanted) / len(words)
    same_digits = re.findall(r"\d", key) == re.findall(r"\d", phrase)  # admin1 is not admin2
    if same_digits and abs(len(key) - len(phrase)) <= 3 and min(len(key), len(phrase)) >= 5:
        ratio = difflib.SequenceMatcher(None, key, phrase).ratio()
        return 0.9 * ratio if ratio >= ALIKE else 0.0
    return 0.0

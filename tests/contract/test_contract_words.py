"""How contracts speak: plain words in both languages, true advice, French set as French is.

Not here: whether a contract is complete (`test_contracts.py`) and what its rules reject.
"""

from __future__ import annotations

import ast
import re
import string
import unicodedata

import pytest

from schemas.codelist import load_codelist
from schemas.contract import Contract, Rule, load_contract, table_names
from schemas.text import FOLDER

DATA = table_names("data")
JARGON = re.compile(
    r"\b(null|regex|boolean|string|varchar|parse[ds]?|schema|utc offset|integer|timestamp|ISO 8601"
    r"|chaîne de caractères|booléen|nul|entier relatif|horodatage)\b",
    re.IGNORECASE,
)


def _contracts() -> list[Contract]:
    return [load_contract(table) for table in table_names()]


def _rules() -> list[Rule]:
    return [rule for contract in _contracts() for rule in contract.rules]


def _texts() -> list[tuple[str, str, str]]:
    """(where, English, French) for every text that a person reads."""
    found: list[tuple[str, str, str]] = []
    for contract in _contracts():
        found.append((contract.table, contract.description.en, contract.description.fr))
        found.append((contract.table, contract.title.en, contract.title.fr))
        for column in contract.columns:
            where = f"{contract.table}.{column.name}"
            found.append((where, column.label.en, column.label.fr))
            found.append((where, column.description.en, column.description.fr))
        for rule in contract.rules:
            for words in (rule.message, rule.explanation, rule.correction):
                found.append((rule.code, words.en, words.fr))
    return found


@pytest.mark.parametrize("table", table_names())
def test_rules_speak_to_an_officer(table: str) -> None:
    for rule in load_contract(table).rules:
        _check_words(rule)


def _check_words(rule: Rule) -> None:
    for words in (rule.message, rule.explanation, rule.correction):
        for text in (words.en, words.fr):
            assert text[0].isupper() or text[0] in "“«{", text
            assert text.endswith((".", "…", "”.", "».")), text
            assert not JARGON.search(text), text
            assert "_" not in re.sub(r"\{\w+\}", "", text), text
        assert words.en != words.fr
    assert len(rule.message.en) <= 110, rule.code
    assert len(rule.message.fr) <= 130, rule.code


@pytest.mark.parametrize("table", DATA)
def test_a_message_names_its_column_as_the_column_is_titled(table: str) -> None:
    """Without the remark "(UTC)": a sender writes local time."""
    contract = load_contract(table)
    for rule in contract.rules:
        label = contract.column(rule.column).label
        for text, title in ((rule.message.en, label.en), (rule.message.fr, label.fr)):
            quoted = re.search(r"[“«]\s?(.+?)\s?[”»]", text)
            if quoted and rule.code[4] in "123":
                assert quoted[1] == title.removesuffix(" (UTC)"), rule.code


@pytest.mark.parametrize("table", DATA)
def test_the_values_that_a_correction_suggests_are_accepted(table: str) -> None:
    """An officer who follows the advice must not be rejected again."""
    contract = load_contract(table)
    tried = 0
    for rule in contract.rules:
        codelist = contract.column(rule.column).codelist
        if rule.code[4] not in "13" or not codelist:
            continue
        for text in (rule.correction.en, rule.correction.fr):
            if found := re.search(r"(?:for example|par exemple) ([^.]+)\.", text):
                for word in re.split(r", | or | ou ", found[1]):
                    assert _lookup_key(word) in _lookup_keys(codelist), (rule.code, word)
                    tried += 1
    assert tried >= 20


def _lookup_key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", plain).strip()


def _lookup_keys(codelist: str) -> set[str]:
    keys: set[str] = set()
    for row in load_codelist(codelist):
        words = [row["code"], row["label_en"], row["label_fr"], *row["aliases"].split("|")]
        keys |= {_lookup_key(word) for word in words}
    return keys


def test_french_is_set_as_french_is() -> None:
    """Typographic apostrophes; no-break spaces before : ; ! ? » and %, and after «."""
    wrong = [
        (where, french)
        for where, _, french in _texts()
        if "'" in french.replace("{", "") or re.search(r" [:;!?»%]|« |\w[;!?»](?!\w)", french)
    ]
    assert wrong == []


def test_english_uses_typographic_marks() -> None:
    assert [(w, e) for w, e, _ in _texts() if "'" in e or '"' in e or "  " in e] == []


def test_delivery_findings_have_the_same_placeholders_in_both_languages() -> None:
    findings = load_contract("deliveries").rules
    assert len(findings) >= 20
    for rule in findings:
        assert rule.expectation == ""
        for words in (rule.message, rule.explanation, rule.correction):
            assert _placeholders(words.en) == _placeholders(words.fr), rule.code


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _raised_findings() -> list[tuple[str, str, set[str] | None]]:
    """(where, code, names of its values or None where they are not written out) in our code."""
    found: list[tuple[str, str, set[str] | None]] = []
    for path in sorted((FOLDER.parent / "pipelines").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id not in ("finding", "refused") or not isinstance(
                    first, ast.Constant
                ):
                    continue
                names = {keyword.arg for keyword in node.keywords}
                known = None if None in names else {"file_name", *(n for n in names if n)}
                found.append((f"{path.name}:{node.lineno}", str(first.value), known))
    return found


def test_findings_that_our_code_raises_are_declared_and_fill_their_words() -> None:
    findings = {rule.code: rule for rule in load_contract("deliveries").rules}
    raised = _raised_findings()
    assert raised
    for where, code, known in raised:
        assert code in findings, where
        for words in (findings[code].message, findings[code].correction):
            assert known is None or _placeholders(words.en) <= known, (where, code)


def test_row_rules_have_no_placeholder() -> None:
    for rule in [rule for rule in _rules() if rule.expectation]:
        for words in (rule.message, rule.explanation, rule.correction):
            assert "{" not in words.en + words.fr, rule.code

"""From rule lines and templates to the rules of one table, with their words in both languages.

Not here: the columns that they are about (`compose.py`) and their SQL (`rules.py`).

The words of a rule are looked for in this order: `words` of the table, the rule in its group, what
the table overrides of the column, the column, the template. Those of a template and of a column are
filled (`{label}`); those of a table or a group stand as they are, since `{…}` in them is filled
when a file is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

from schemas import declared
from schemas.compose import Composition
from schemas.declared import FORMS, Form, RuleLine, RuleTemplate, TypedWords, checked, problem
from schemas.lines import TYPES
from schemas.rules import UNEXPECTED_ROWS_PREFIX
from schemas.table import Rule, Severity
from schemas.text import LANGUAGES, Bilingual, Language, joined
from schemas.text import number as written

# What the first figure of a code says about the fault, where the rule does not say otherwise
DIMENSIONS = {
    "1": "completeness",
    "2": "conformity",
    "3": "conformity",
    "4": "accuracy",
    "5": "consistency",
    "6": "uniqueness",
}
PARTS = ("says", "why", "fix")
_OPTIONAL = re.compile(r"\[([^\[\]]*\{\w+\}[^\[\]]*)\]")
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class RuleSource:
    """A rule with its code, and where it is written."""

    code: str
    line: RuleLine
    path: Path
    loc: tuple[str | int, ...]
    severity: str = ""  # that of the table, where the rule is of a group


@dataclass(frozen=True)
class _RuleInstance:
    """A rule, the template that it asks for, and what `{…}` of that template stands for."""

    placed: RuleSource
    name: str  # of the template, empty for a rule of its own
    template: RuleTemplate | None
    column: str  # the one that is blamed
    values: Mapping[str, Any]


class RuleComposition:
    """The rules of a table: those of its groups, and its own."""

    def __init__(self, composed: Composition) -> None:
        """Keep what the table says; nothing is read yet."""
        self.table, self.path = composed.table, composed.path
        self.groups, self.fields, self.days = composed.groups, composed.fields, composed.days

    def rules(self) -> tuple[Rule, ...]:
        """The rules by code. Raises ContractError."""
        placed = self.placed()
        for code in self.table.words:
            if code not in placed:
                raise problem("CON-306", self.path, ("words", code), code=code)
        found = [self._rule(placed[code]) for code in sorted(placed)]
        seen: dict[str, str] = {}
        for rule in found:
            if rule.name in seen:
                one = placed[rule.code]
                values = {"code": rule.code, "other": seen[rule.name], "name": rule.name}
                raise problem("CON-310", one.path, one.loc, **values)
            seen[rule.name] = rule.code
        return tuple(found)

    def placed(self) -> dict[str, RuleSource]:
        """Where each rule is written, by its code. Raises ContractError."""
        prefix = self.table.codes
        found: dict[str, RuleSource] = {}
        of_group: dict[str, str] = {}
        for group, one in self.groups.items():
            for number, line in one.rules.items():
                code = f"{prefix}-{number}"
                loc = (group, "rules", number)
                if code in found:
                    values = {"group": group, "other": of_group[code], "number": number}
                    raise problem("CON-309", declared.GROUPS_FILE, loc, **values)
                found[code] = RuleSource(code, line, declared.GROUPS_FILE, loc)
                of_group[code] = group
        for code, line in self.table.rules.items():
            own = ("rules", code)
            if not prefix or not re.fullmatch(rf"{prefix}-[1-7]\d\d", code):
                raise problem("CON-305", self.path, own, prefix=prefix or self.table.table)
            if code in found:
                if line.model_fields_set != {"severity"} or line.model_extra:
                    raise problem("CON-304", self.path, own, group=of_group[code])
                one_of = found[code]
                found[code] = RuleSource(
                    code, one_of.line, one_of.path, one_of.loc, line.severity or ""
                )
            else:
                found[code] = RuleSource(code, line, self.path, own)
        return found

    def _rule(self, one: RuleSource) -> Rule:
        asked = self._asked(one)
        line, template = one.line, asked.template
        kind, kwargs = self._expectation(asked)
        if not kind and not line.identity and self.table.kind == "data":
            raise problem("CON-311", one.path, one.loc, forms=FORMS)
        message, why, fix = (self._words(asked, part) for part in PARTS)
        usual = template.severity if template else "error" if line.error else "warning"
        dimension = line.dimension or (template.dimension if template else "")
        name = line.error or line.warning or line.name
        return Rule(
            code=one.code,
            name=name or self._filled(asked, template.name if template else "", "en"),
            severity=cast(Severity, one.severity or line.severity or usual),
            dimension=dimension or DIMENSIONS.get(one.code[4], ""),
            column=asked.column,
            expectation=kind,
            kwargs=kwargs,
            message=message,
            explanation=why,
            correction=fix,
            is_about_row=bool(kind or line.identity) or line.about == "row",
            identity=_tuples(line.identity),
            template=asked.name,
            parameters={**(line.model_extra or {}), "when": line.when},
        )

    def _asked(self, one: RuleSource) -> _RuleInstance:
        name, template = self._template(one)
        about = (one.line.model_extra or {}).get(name, "")
        column = one.line.at or (template.at if template else "") or about
        blamed = {column, *chain.from_iterable(_tuples(one.line.identity))} - {""}
        if self.table.kind == "data" and (unknown := sorted(blamed - set(self.fields))):
            raise problem("CON-204", one.path, one.loc, name=unknown[0])
        return _RuleInstance(one, name, template, column, self._values(one, column, about))

    def _template(self, one: RuleSource) -> tuple[str, RuleTemplate | None]:
        """The template that a rule asks for, none for one of its own. Raises ContractError."""
        line, known = one.line, declared.templates()
        extra = dict(line.model_extra or {})
        named = [key for key in extra if key in known]
        said = [*named, *(key for key in ("error", "warning") if getattr(line, key))]
        if len(said) != 1:
            keys = sorted({*line.model_fields_set, *extra})
            raise problem("CON-301", one.path, one.loc, said=keys)
        template = known[named[0]] if named else None
        parameters = template.parameters if template else ()
        for key, value in extra.items():
            if key not in (*named, *parameters):
                values = {"template": said[0], "key": key}
                raise problem("CON-303", one.path, (*one.loc, key), **values)
            if not isinstance(value, str if key in named else str | int | float | list):
                raise problem(
                    *("CON-105", one.path, (*one.loc, key)),
                    value=str(value),
                    expected=TYPES["string"],
                )
        for key in parameters:
            if key not in extra and getattr(line, key, None) is None:
                raise problem("CON-302", one.path, one.loc, template=named[0], key=key)
        return (named[0] if named else ""), template

    def _values(self, one: RuleSource, column: str, about: str) -> dict[str, Any]:
        """What `{…}` of a template stands for."""
        line, said = one.line, self.fields.get(column)
        values: dict[str, Any] = {**(line.model_extra or {}), "column": column, "fact": about}
        values |= {"event": self.table.event, "when": line.when}
        values |= {key: getattr(line, key) for key in FORMS if getattr(line, key) is not None}
        if isinstance(most := values.get("most"), int | float):
            values["limit"] = Bilingual(**{lang: written(most, lang) for lang in LANGUAGES})
        values["identity"] = self._labels(line.identity)
        for key, other in (line.model_extra or {}).items():
            if isinstance(other, str):
                values[f"{key}_day"] = self.days.get(other, other)
        if said is None:
            return values
        is_plain = said.type == "text" and not said.codelist and said.filled_by != "input"
        even_withdrawn = said.required if line.even_withdrawn is None else line.even_withdrawn
        example = str(said.example)
        values |= {
            "value": self.days.get(column, column),
            "unread": "" if is_plain else f"{column}__unread",
            "withdrawn": "" if even_withdrawn else "is_withdrawn",
            "label": said.asked or said.label,
            "such_as": said.such_as,
            "example": Bilingual(en=example, fr=example.replace(".", ",")),
            "longest": said.length[1] if said.length else "",
            **({"whole": said.part_of} if said.part_of else {}),
        }
        own = {key: getattr(said, key) for key in ("pattern", "length", "range")}
        return values | {key: value for key, value in own.items() if value}

    def _labels(self, identity: Iterable[str | tuple[str, ...]]) -> Bilingual:
        """The words over the columns by which a record is known again."""
        said = [self.fields[name] for name in chain.from_iterable(_tuples(identity))]
        labels = [one.asked or one.label for one in said]
        return Bilingual(
            **{lang: joined((one[lang] for one in labels), lang) for lang in LANGUAGES}
        )

    def _words(self, asked: _RuleInstance, part: str) -> Bilingual:
        one, column = asked.placed, asked.column
        for verbatim in (self.table.words.get(one.code), one.line):
            if verbatim and (words := getattr(verbatim, part)):
                return Bilingual.model_validate(words)
        of_column = self.fields[column].faults.get(asked.name) if column in self.fields else None
        for filled in (of_column, self._typed(asked, part), asked.template):
            if filled and (words := getattr(filled, part)):
                return Bilingual(
                    **{lang: self._filled(asked, words[lang], lang) for lang in LANGUAGES}
                )
        raise problem("CON-307", one.path, one.loc, code=one.code, part=part)

    def _typed(self, asked: _RuleInstance, part: str) -> TypedWords | None:
        """The words of a template for the type of the column, or for one that is said alike."""
        if not asked.template or asked.column not in self.fields:
            return None
        kind, by_type = self.fields[asked.column].type, asked.template.by_type
        found = by_type.get("integer" if kind == "bigint" else kind)
        if found and found.like and getattr(found, part) is None:
            return by_type.get(found.like)
        return found

    def _filled(self, asked: _RuleInstance, text: str, language: Language) -> str:
        """The text with what `{…}` stands for; `[…]` is left out where that is empty."""
        values, one = asked.values, asked.placed

        def value(name: str) -> str:
            if name not in values:
                raise problem("CON-308", one.path, one.loc, name=name, known=sorted(values))
            found = values[name]
            found = found[language] if isinstance(found, Bilingual) else found
            return "" if found is None or found is False else str(found)

        def optional(match: re.Match[str]) -> str:
            return match[1] if all(value(name) for name in _NAME.findall(match[1])) else ""

        return _NAME.sub(lambda match: value(match[1]), _OPTIONAL.sub(optional, text))

    def _expectation(self, asked: _RuleInstance) -> tuple[str, dict[str, Any]]:
        """The expectation of Great Expectations and what it is told; none for a file as a whole."""
        template, column = asked.template, asked.column
        source = template or asked.placed.line
        form = next((key for key in FORMS if getattr(source, key) is not None), "")
        value = getattr(source, form) if form else None
        if not template or not form:
            return expectation(form, value, column)
        said = {form: self._value(asked, value)}
        one = asked.placed
        value = getattr(checked(Form, said, one.path, one.loc), form)
        return expectation(form, value, asked.values.get("value", column))

    def _value(self, asked: _RuleInstance, value: Any) -> Any:
        """A value of a template: one that is only `{…}` is taken as it is, a text is filled."""
        if isinstance(value, list | tuple):
            return [self._value(asked, item) for item in value]
        if not isinstance(value, str):
            return value
        alone = _NAME.fullmatch(value)
        if alone and alone[1] in asked.values:
            return asked.values[alone[1]]
        return self._filled(asked, value, "en")


def _tuples(identity: Iterable[str | tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """A column that counts by itself is a group of one."""
    return tuple((part,) if isinstance(part, str) else part for part in identity)


def expectation(form: str, value: Any, column: str) -> tuple[str, dict[str, Any]]:
    """From the short form of a rule to Great Expectations: the type and its arguments."""
    if form == "fails":
        return "unexpected_rows_expectation", {
            "unexpected_rows_query": UNEXPECTED_ROWS_PREFIX + value
        }
    if form == "empty":
        return "expect_column_values_to_be_null", {"column": value}
    if form == "at_least":
        pair = {"column_A": value[0], "column_B": value[1]}
        how = {"or_equal": True, "ignore_row_if": "either_value_is_missing"}
        return "expect_column_pair_values_a_to_be_greater_than_b", {**pair, **how}
    about = {"column": column}
    if form in ("between", "least", "most", "above"):
        low, high = value if form == "between" else (value, None)
        limits = {
            "between": {"min_value": low, "max_value": high},
            "least": {"min_value": low},
            "most": {"max_value": low},
            "above": {"min_value": low, "strict_min": True},
        }
        return "expect_column_values_to_be_between", {**about, **limits[form]}
    if form == "one_of":
        return "expect_column_values_to_be_in_set", {**about, "value_set": list(value)}
    if form == "distinct":
        return "expect_column_values_to_be_unique", about
    if form == "pattern":
        return "expect_column_values_to_match_regex", {**about, "regex": value}
    if form == "characters":
        limits_of = {"min_value": value[0], "max_value": value[1]}
        return "expect_column_value_lengths_to_be_between", {**about, **limits_of}
    return "", {}

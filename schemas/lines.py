"""Where something stands in a declared file: its line, and what may stand there."""

from __future__ import annotations

import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from schemas.text import LOADER, Bilingual

# What was expected, by the beginning of the kind of an error of pydantic
TYPES: dict[str, Bilingual] = {
    "date": Bilingual(en="a date, such as 2026-01-31", fr="une date, comme 2026-01-31"),
    "int": Bilingual(en="a whole number", fr="un nombre entier"),
    "bool": Bilingual(en="true or false", fr="true ou false"),
    "tuple": Bilingual(en="a list, such as [a, b]", fr="une liste, comme [a, b]"),
    "model": Bilingual(en="keys and values below it", fr="des clés et des valeurs en dessous"),
    "string_pattern": Bilingual(
        en="a version of three numbers, such as 1.2.0",
        fr="une version en trois nombres, comme 1.2.0",
    ),
    "string": Bilingual(
        en="text in quotes, such as '01'", fr="un texte entre guillemets, comme '01'"
    ),
    "": Bilingual(en="something else", fr="autre chose"),
}


def line_of(path: Path, loc: Sequence[str | int]) -> int:
    """The line of a file where a path leads, counted from 1."""
    return line_in(yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER), loc)


def line_in(root: Any, loc: Sequence[str | int]) -> int:
    """The line of the nearest thing of the file that a path names, counted from 1."""
    node, line = root, root.start_mark.line if root else 0
    for step in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step] if step < len(node.value) else None
        elif isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(step)]
            if not found and isinstance(step, int):
                continue  # one thing, where a list of them may stand
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
            continue
        else:
            break
        if node is None:
            break
        line = node.start_mark.line
    return int(line) + 1


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that are known where a path leads."""
    here: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, str) and here and step in here.model_fields:
            here = _model_in(here.model_fields[step].annotation)
    fields = here.model_fields.items() if here else ()
    return [field.alias or name for name, field in fields]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation holds: itself, an optional one, or one of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation):
        found = (_model_in(part) for part in typing.get_args(annotation))
        return next((one for one in found if one), None)
    return None

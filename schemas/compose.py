"""From fields and groups to the columns of one table and what is computed for its rules.

Not here: its rules (`compose_rules.py`), the files themselves (`declared.py`) and what a contract
holds (`table.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from schemas import declared
from schemas.codelist import codelist_names, load_codelist
from schemas.declared import Field, Group, HelperLine, Table, Words, problem
from schemas.record import RECORD_ID
from schemas.roles import Roles
from schemas.table import Column, Fact, FilledBy, Helper, Level, LookUp, Question

# type → the logical type of ODCS, the type of DuckDB
TYPES: dict[str, tuple[str, str]] = {
    "text": ("string", "VARCHAR"),
    "timestamp": ("timestamp", "TIMESTAMP"),
    "date": ("date", "DATE"),
    "integer": ("integer", "INTEGER"),
    "bigint": ("integer", "BIGINT"),
    "number": ("number", "DOUBLE"),
    "coordinate": ("number", "DOUBLE"),
    "boolean": ("boolean", "BOOLEAN"),
    "texts": ("array", "VARCHAR[]"),
}
# What every table of records has: by whom it was told, and how it came
NEEDED = ("identity", "provenance")
# What is said of records only: a reference table or a log gives nobody away, and no feed fills it
OF_RECORDS = {
    "filled_by": None,
    "derive": "",
    "coarsen": "",
    "quasi_identifier": False,
    "reveals": None,
}
WORD = re.compile(r"\w+")


class Composition:
    """What the file of a table and the files that it names say together."""

    def __init__(self, table: Table, path: Path) -> None:
        """Keep the file; nothing is read yet."""
        self.table, self.path = table, path

    @cached_property
    def groups(self) -> dict[str, Group]:
        """The groups that the table takes, in order. Raises ContractError."""
        known, found = declared.groups(), {}
        for at, entry in enumerate(self.table.columns):
            if entry.startswith("+"):
                if entry[1:] not in known:
                    values = {"name": entry[1:], "known": list(known)}
                    raise problem("CON-203", self.path, ("columns", at), **values)
                found[entry[1:]] = known[entry[1:]]
        for name in NEEDED if self.table.kind == "data" else ():
            if name not in found:
                raise problem("CON-208", self.path, ("columns",), name=name)
        return found

    @cached_property
    def fields(self) -> dict[str, Field]:
        """What is said of each column in this table, inputs last. Raises ContractError."""
        found: dict[str, Field] = {}
        for name, path, loc in self._names():
            if name in found:
                raise problem("CON-205", path, loc, name=name)
            if name not in declared.fields():
                raise problem("CON-201", path, loc, name=name)
            found[name] = self._field(name)
        for key in ("overrides", "classification", "withheld_when"):
            named = getattr(self.table, key)
            each = named if key == "overrides" else [n for names in named.values() for n in names]
            for name in each:
                if name not in found:
                    raise problem("CON-204", self.path, (key, name), name=name)
        return found

    def columns(self) -> tuple[Column, ...]:
        """The columns in order. Raises ContractError."""
        return tuple(
            self._column(name, f, self.days.get(name, "")) for name, f in self.fields.items()
        )

    @cached_property
    def days(self) -> dict[str, str]:
        """By the name of a moment, the column of its local day."""
        return {f.day_of: name for name, f in self.fields.items() if f.day_of}

    def helpers(self) -> tuple[Helper, ...]:
        """The private columns that rules may use. Raises ContractError."""
        found: dict[str, Helper] = {}
        for group, one in self.groups.items():
            for name, line in one.helpers.items():
                place = (declared.GROUPS_FILE, (group, "helpers", name))
                found[name] = self._helper(name, line, *place)
        for name, line in self.table.helpers.items():
            found[name] = self._helper(name, line, self.path, ("helpers", name))
        return tuple(found.values())

    def facts(self) -> tuple[Fact, ...]:
        """What is computed across the rows of a delivery."""
        return tuple(Fact(name, sql) for name, sql in self.table.facts.items())

    def questions(self) -> tuple[Question, ...]:
        """The questions about it to start from."""
        return tuple(
            Question(name, one.title, one.sql, tuple(c for c in self.fields if c in words))
            for name, one in self.table.questions.items()
            for words in [set(WORD.findall(one.sql))]
        )

    def roles(self) -> Roles:
        """What its columns are for, by its groups and by itself. Raises ContractError."""
        found: dict[str, Any] = {}
        said = [(declared.GROUPS_FILE, (name,), one.roles) for name, one in self.groups.items()]
        for path, at, roles in (*said, (self.path, (), self.table.roles)):
            for role in sorted(roles.model_fields_set):
                loc = (*at, "roles", role)
                if role in found:
                    raise problem("CON-211", path, loc, role=role)
                found[role] = getattr(roles, role)
                for name in roles.names(role):
                    if name not in self.fields:
                        raise problem("CON-204", path, loc, name=name)
        return Roles(**found)

    def _names(self) -> Iterator[tuple[str, Path, tuple[str | int, ...]]]:
        file = declared.GROUPS_FILE
        for at, entry in enumerate(self.table.columns):
            if entry.startswith("+"):
                for within, name in enumerate(self.groups[entry[1:]].columns):
                    yield name, file, (entry[1:], "columns", within)
            else:
                yield entry, self.path, ("columns", at)
        for group, one in self.groups.items():
            for at, name in enumerate(one.inputs):
                yield name, file, (group, "inputs", at)
        for at, name in enumerate(self.table.inputs):
            yield name, self.path, ("inputs", at)

    def _field(self, name: str) -> Field:
        said: dict[str, Any] = {} if self.table.kind == "data" else dict(OF_RECORDS)
        for level, names in self.table.classification.items():
            if name in names:
                said["classification"] = level
        base = declared.fields()[name]
        if override := self.table.overrides.get(name):
            for key in override.model_fields_set - {"faults"}:
                said[key] = getattr(override, key)
            if override.faults:
                said["faults"] = {**base.faults, **_changed(base.faults, override.faults)}
        return base.model_copy(update=said) if said else base

    def _column(self, name: str, said: Field, day: str) -> Column:
        logical, physical = TYPES[said.type]
        held = [flag for flag, names in self.table.withheld_when.items() if name in names]
        if said.codelist and said.codelist not in codelist_names():
            raise problem("CON-206", said.file, (name, "codelist"), name=said.codelist)
        if said.part_of and said.part_of not in declared.fields():
            raise problem("CON-204", said.file, (name, "part_of"), name=said.part_of)
        return Column(
            name=name,
            logical_type=logical,
            duckdb_type=physical,
            is_required=said.required,
            label=said.label,
            description=said.description,
            hxl=said.hxl.replace("{stem}", self.table.stem),
            classification=said.classification,
            examples=(said.example,),
            unit="degree" if said.type == "coordinate" else said.unit,
            codelist=said.codelist,
            filled_by=self._filled_by(said),
            derive=said.derive,
            withheld_when=held[0] if held else "",
            is_quasi_identifier=said.quasi_identifier,
            coarsen=said.coarsen,
            reveals=said.reveals,
            day_of=said.day_of,
            day=day,
            precision=said.precision,
            known_to=said.known_to,
            levels=tuple(Level(key, **dict(one)) for key, one in said.levels.items()),
            look_ups=tuple(self._look_ups(name, said)),
            is_content=said.content,
            is_primary_key=name == self._key,
        )

    def _look_ups(self, name: str, said: Field) -> Iterator[LookUp]:
        """Those of columns that the table has. Raises ContractError."""
        path = declared.fields()[name].file
        for column, by in said.look_up.items():
            loc = (name, "look_up", column)
            if column not in declared.fields():
                raise problem("CON-204", path, loc, name=column)
            codelist = declared.fields()[column].codelist
            found = (
                LookUp(column, by) if isinstance(by, str) else LookUp(column, "", (*by.items(),))
            )
            for attribute in found.attributes:
                if not codelist or attribute not in load_codelist(codelist)[0]:
                    values = {"codelist": codelist, "name": attribute}
                    raise problem("CON-207", path, loc, **values)
            if column in self.fields:
                yield found

    @property
    def _key(self) -> str:
        return self.table.key or (RECORD_ID if self.table.kind == "data" else "")

    def _filled_by(self, said: Field) -> FilledBy:
        return said.filled_by or ("feed" if self.table.kind == "data" else "reader")

    def _helper(
        self, name: str, line: HelperLine, path: Path, loc: tuple[str | int, ...]
    ) -> Helper:
        of_list = (line.column, line.attribute, line.codelist)
        ways = [bool(line.geofence), bool(line.feed), any(of_list)]
        if sum(ways) != 1 or any(of_list) != all(of_list):
            raise problem("CON-217", path, loc)
        if line.column:
            if line.column not in self.fields:
                raise problem("CON-204", path, (*loc, "column"), name=line.column)
            if line.codelist not in codelist_names():
                raise problem("CON-206", path, (*loc, "codelist"), name=line.codelist)
            if line.attribute not in load_codelist(line.codelist)[0]:
                values = {"codelist": line.codelist, "name": line.attribute}
                raise problem("CON-207", path, (*loc, "attribute"), **values)
        return Helper(name=name, **line.model_dump())


def _changed(words: dict[str, Words], own: dict[str, Words]) -> dict[str, Words]:
    """The words of a table for the faults of a column; a part that it does not say stays."""
    return {
        name: words.get(name, Words()).model_copy(
            update={part: getattr(one, part) for part in one.model_fields_set}
        )
        for name, one in own.items()
    }

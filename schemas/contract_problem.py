"""One thing that is wrong with the declaration of a table: its code, its file and line, its words.

Not here: the search for it (`declared.py`, `compose.py`, `compose_rules.py`, `rule_codes.py`,
`contract_check.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.text import FOLDER, Bilingual, Language

# code → English, French
WORDS: dict[str, tuple[str, str]] = {
    "CON-101": (
        "This cannot be read as YAML. Compare the indentation and the quotes with the lines above.",
        "Ceci n’est pas du YAML lisible. Comparez le retrait et les guillemets avec les lignes du "
        "dessus.",
    ),
    "CON-102": (
        "“{key}” stands twice here; the first would be lost. Remove one of them.",
        "« {key} » figure deux fois ici ; la première mention serait perdue. Supprimez l’une des "
        "deux.",
    ),
    "CON-103": (
        "“{key}” is not known here. Known are: {known}.",
        "« {key} » n’est pas connu ici. Sont connus : {known}.",
    ),
    "CON-104": (
        "“{key}” is missing here.",
        "« {key} » manque ici.",
    ),
    "CON-105": (
        "“{value}” is not allowed here; expected: {expected}.",
        "« {value} » n’est pas admis ici ; attendu : {expected}.",
    ),
    "CON-201": (
        "No file of schemas/fields declares the column “{name}”. Declare it there, or correct the "
        "name.",
        "Aucun fichier de schemas/fields ne déclare la colonne « {name} ». Déclarez-la, ou "
        "corrigez le nom.",
    ),
    "CON-202": (
        "The column “{name}” is declared in {other} too. A column is declared once: keep one of "
        "them.",
        "La colonne « {name} » est aussi déclarée dans {other}. Une colonne n’est déclarée qu’une "
        "fois : gardez l’une des deux.",
    ),
    "CON-203": (
        "schemas/groups.yaml has no group “{name}”. Known are: {known}.",
        "schemas/groups.yaml n’a pas de groupe « {name} ». Sont connus : {known}.",
    ),
    "CON-204": (
        "The table has no column “{name}”. Add it under `columns`, or correct the name.",
        "La table n’a pas de colonne « {name} ». Ajoutez-la sous `columns`, ou corrigez le nom.",
    ),
    "CON-205": (
        "The column “{name}” stands twice in the table. Remove one of them.",
        "La colonne « {name} » figure deux fois dans la table. Supprimez l’une des deux.",
    ),
    "CON-206": (
        "There is no code list “{name}”. Add schemas/codelists/{name}.csv, or correct the name.",
        "La liste de codes « {name} » n’existe pas. Ajoutez schemas/codelists/{name}.csv, ou "
        "corrigez le nom.",
    ),
    "CON-207": (
        "The code list “{codelist}” has no column “{name}”.",
        "La liste de codes « {codelist} » n’a pas de colonne « {name} ».",
    ),
    "CON-208": (
        "A table of records takes the group “{name}”: it tells records apart and says how they "
        "came. Add +{name} under `columns`.",
        "Une table de fiches prend le groupe « {name} » : il distingue les fiches et dit comment "
        "elles sont arrivées. Ajoutez +{name} sous `columns`.",
    ),
    "CON-209": (
        "“{name}” stands in SQL here and is no column of the table, no helper and no fact. Correct "
        "the name.",
        "« {name} » figure ici dans du SQL et n’est ni une colonne de la table, ni une colonne "
        "auxiliaire, ni un fait calculé. Corrigez le nom.",
    ),
    "CON-210": (
        "This SQL cannot be read. Compare its brackets and quotes.",
        "Ce SQL n’est pas lisible. Comparez ses parenthèses et ses guillemets.",
    ),
    "CON-211": (
        "The role “{role}” is given by another group of this table too. Keep one of them.",
        "Le rôle « {role} » est aussi donné par un autre groupe de cette table. N’en gardez qu’un.",
    ),
    "CON-212": (
        "DuckDB refuses this SQL: {problem}",
        "DuckDB refuse ce SQL : {problem}",
    ),
    "CON-213": (
        "The role “{role}” means nothing without the role “{other}”. Name the columns of both, or "
        "of neither.",
        "Le rôle « {role} » ne veut rien dire sans le rôle « {other} ». Indiquez les colonnes des "
        "deux, ou d’aucun.",
    ),
    "CON-214": (
        "“{said}” cannot have the role “{role}”, which is for {expected}.",
        "« {said} » ne peut tenir le rôle « {role} », réservé à ceci : {expected}.",
    ),
    "CON-215": (
        "The column “{name}” may tell of a person and does not say what else it tells of. Write "
        "the columns that it gives away under `reveals`, or [] where there are none.",
        "La colonne « {name} » peut renseigner sur une personne et ne dit pas ce qu’elle révèle. "
        "Écrivez sous `reveals` les colonnes qu’elle trahit, ou [] s’il n’y en a pas.",
    ),
    "CON-216": (
        "Nothing fills the column “{name}”: no feed may, and no `derive` says how.",
        "Rien ne remplit la colonne « {name} » : aucun flux n’en a le droit, et aucun `derive` ne "
        "dit comment.",
    ),
    "CON-217": (
        "A helper says one thing: `geofence`, or `feed`, or a `column` with the `codelist` and the "
        "`attribute` to take from it.",
        "Une colonne auxiliaire dit une seule chose : `geofence`, ou `feed`, ou bien une `column` "
        "avec la `codelist` et l’`attribute` à y prendre.",
    ),
    "CON-218": (
        "The column “{name}” is the day of “{moment}”, which this table does not have. Add that "
        'one, or write `day_of: ""` under `overrides`.',
        "La colonne « {name} » est le jour de « {moment} », absente de cette table. Ajoutez "
        'celle-ci, ou écrivez `day_of: ""` sous `overrides`.',
    ),
    "CON-219": (
        "The table is called “{said}”, its file “{name}”. Give both the same name.",
        "La table s’appelle « {said} », son fichier « {name} ». Donnez le même nom aux deux.",
    ),
    "CON-301": (
        "A rule says one thing: a template of schemas/rule_templates.yaml (`required: country`), "
        "or `error` or `warning` with a name of its own. This one says: {said}.",
        "Une règle dit une seule chose : un modèle de schemas/rule_templates.yaml (`required: "
        "country`), ou bien `error` ou `warning` suivi d’un nom propre. Celle-ci dit : {said}.",
    ),
    "CON-302": (
        "The template “{template}” needs “{key}” as well.",
        "Le modèle « {template} » a aussi besoin de « {key} ».",
    ),
    "CON-303": (
        "The template “{template}” knows nothing of “{key}”.",
        "Le modèle « {template} » ne connaît pas « {key} ».",
    ),
    "CON-304": (
        "This number belongs to the group “{group}”. A table may change the severity and, under "
        "`words`, the sentences of such a rule; give a rule of its own another number.",
        "Ce numéro appartient au groupe « {group} ». Une table peut changer la gravité d’une telle "
        "règle et, sous `words`, ses phrases ; donnez un autre numéro à une règle propre.",
    ),
    "CON-305": (
        "A code of this table is written {prefix}-101: its letters, then a number from 101 to 799.",
        "Un code de cette table s’écrit {prefix}-101 : ses lettres, puis un nombre de 101 à 799.",
    ),
    "CON-306": (
        "Words are given for {code}, yet the table has no such rule.",
        "Des phrases sont données pour {code}, mais la table n’a pas cette règle.",
    ),
    "CON-307": (
        "The rule {code} does not say “{part}”. Write it under `words` of the table, or beside "
        "the column in schemas/fields.",
        "La règle {code} ne dit pas « {part} ». Écrivez-le sous `words` dans la table, ou avec la "
        "colonne dans schemas/fields.",
    ),
    "CON-308": (
        "Nothing is called “{{{name}}}” where this rule is written; a template knows: {known}.",
        "Rien ne s’appelle « {{{name}}} » là où cette règle est écrite ; un modèle connaît : "
        "{known}.",
    ),
    "CON-309": (
        "The groups “{group}” and “{other}” both hold a rule of the number {number}; a table "
        "cannot take both.",
        "Les groupes « {group} » et « {other} » ont tous deux une règle portant le numéro "
        "{number} ; une table ne peut prendre les deux.",
    ),
    "CON-310": (
        "The rules {code} and {other} of this table are both called “{name}”.",
        "Les règles {code} et {other} de cette table s’appellent toutes deux « {name} ».",
    ),
    "CON-311": (
        "This rule does not say which rows fail it. Add one of: {forms}.",
        "Cette règle ne dit pas quelles lignes l’enfreignent. Ajoutez l’une de ces clés : {forms}.",
    ),
    "CON-401": (
        "{code} was “{was}” ({column}) and may not mean anything else now. Give the new rule a "
        "code that was never used.",
        "{code} désignait « {was} » ({column}) et ne peut désigner autre chose. Donnez à la "
        "nouvelle règle un code jamais utilisé.",
    ),
    "CON-402": (
        "{code} is gone from the contracts. Write the version of the table that has it no more "
        "under retired_in, so that nobody uses it again.",
        "{code} a disparu des contrats. Écrivez sous retired_in la version de la table qui ne l’a "
        "plus, pour que personne ne le réutilise.",
    ),
    "CON-403": (
        "{code} is retired since version {version} and may not be used again.",
        "{code} est retiré depuis la version {version} et ne peut être réutilisé.",
    ),
    "CON-404": (
        "The contract of `{table}` differs from the one committed, and its version is {version} in "
        "both. Raise the version.",
        "Le contrat de `{table}` diffère de celui qui est enregistré, et tous deux portent la "
        "version {version}. Augmentez la version.",
    ),
    "CON-405": (
        "{code} was listed and is no longer. Lines of this list are never removed.",
        "{code} figurait dans la liste et n’y figure plus. Les lignes de cette liste ne sont "
        "jamais retirées.",
    ),
    "CON-501": (
        "Say either `from` (columns of the source) or `value` (one value for every row).",
        "Indiquez soit `from` (des colonnes de la source), soit `value` (une valeur pour toutes "
        "les lignes).",
    ),
    "CON-502": (
        "Only what comes `from` columns of the source can be optional.",
        "Seul ce qui vient (`from`) de colonnes de la source peut être facultatif.",
    ),
    "CON-503": (
        "Say one place where the day stands: `name`, `title` or `column`.",
        "Indiquez un seul endroit où figure le jour : `name`, `title` ou `column`.",
    ),
    "CON-504": (
        "“{pattern}” is no regular expression: {problem}.",
        "« {pattern} » n’est pas une expression régulière : {problem}.",
    ),
    "CON-505": (
        "“{pattern}” has no group (…) for the date.",
        "« {pattern} » n’a pas de groupe (…) pour la date.",
    ),
    "CON-506": (
        "Every format of `as_of` has a year: %Y or %y.",
        "Chaque format de `as_of` comporte une année : %Y ou %y.",
    ),
    "CON-507": (
        "`corrections` names what is not mapped: {names}.",
        "`corrections` nomme ce qui n’est pas mis en correspondance : {names}.",
    ),
    "CON-508": (
        "“{value}” is no time zone. Write one such as Africa/Bangui, `place` where the place of "
        "each row decides, or `offset` where each text has its own.",
        "« {value} » n’est pas un fuseau horaire. Écrivez par exemple Africa/Bangui, `place` si "
        "le lieu de chaque ligne en décide, ou `offset` si chaque texte porte le sien.",
    ),
    "CON-509": (
        "“{value}” is no encoding that is known. Usual are utf-8, utf-16 and cp1252.",
        "« {value} » n’est pas un encodage connu. Les plus courants sont utf-8, utf-16 et cp1252.",
    ),
    "CON-510": (
        '“{value}” is not one sign. Write one between quotes, such as `";"`.',
        '« {value} » n’est pas un signe unique. Écrivez-en un entre guillemets, comme `";"`.',
    ),
    "CON-511": (
        "{value} is too small: this is counted from 1.",
        "{value} est trop petit : on compte ici à partir de 1.",
    ),
    "CON-512": (
        "At least one is needed here.",
        "Il en faut au moins un ici.",
    ),
}


@dataclass(frozen=True)
class ContractProblem:
    """One thing that is wrong with a declaration: its code, where it is, and its words."""

    code: str
    path: Path
    line: int
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def where(self) -> str:
        """`schemas/tables/incidents.yaml:47`, from the folder above `schemas`."""
        inside = self.path.is_relative_to(FOLDER.parent)
        path = self.path.relative_to(FOLDER.parent) if inside else self.path
        return f"{path.as_posix()}:{self.line}"

    def sentence(self, language: Language) -> str:
        """What is wrong and what to do about it."""
        words = WORDS[self.code][1 if language == "fr" else 0]
        return words.format(**{k: _said(v, language) for k, v in self.values.items()})

    def text(self, language: Language = "en") -> str:
        """The file, the line and the sentence."""
        return f"{self.where}: {self.sentence(language)}"

    def correction(self, language: Language = "en") -> str:
        """The sentence says it already."""
        del language
        return ""

    def coded(self, language: Language) -> str:
        """The file, the line, the code and the sentence."""
        colon = "\u00a0:" if language == "fr" else ":"
        return f"{self.where}: {self.code}{colon} {self.sentence(language)}"


class ContractError(ValueError):
    """The tables cannot be relied on; each problem names its file and its line."""

    def __init__(self, problems: Iterable[ContractProblem]) -> None:
        """Keep the problems; the message is English, for logs."""
        self.problems = tuple(problems)
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """Every problem, one a line."""
        return "\n".join(problem.coded(language) for problem in self.problems)

    def __reduce__(self) -> Any:
        """As it was, for a process that asked for it."""
        return type(self), (self.problems,)


def _said(value: Any, language: Language) -> str:
    if isinstance(value, Bilingual):
        return value[language]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)

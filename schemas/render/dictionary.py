"""The data dictionary in one language, as Markdown: tables, columns, rules with what to do, lists.

Not here: the words about a column or a rule. They are the contracts'; only headings are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.codelist import codelist_names, load_codelist
from schemas.contract import Column, Contract, Rule
from schemas.text import Language

SHOWN_CODES = 6

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Data dictionary",
        "generated": "Rendered from `schemas/tables` by `python -m schemas.render`; do not edit.",
        "find": "Find your way",
        "tables": "Tables",
        "table": "Table",
        "holds": "A row is",
        "rules": "Rules",
        "columns": "Columns",
        "column": "Column",
        "title_": "Title",
        "type": "Type",
        "meaning": "What it holds",
        "always": "always filled",
        "unit": "unit",
        "list": "list",
        "example": "for example",
        "withheld": "withheld for sensitive records",
        "inputs": "Read but never kept",
        "inputs_why": (
            "A file may hold these; they are turned into something else and never published."
        ),
        "use": "Good for",
        "limits": "Take care",
        "code": "Code",
        "severity": "Then",
        "error": "row set aside",
        "warning": "row kept, counted",
        "says": "What is wrong, and what to do",
        "delivery": "About a file as a whole",
        "delivery_error": "file refused",
        "delivery_warning": "file accepted",
        "lists": "Code lists",
        "codes": "Codes",
        "some": "Some of them",
        "read_a_code": (
            "A rejection names a code such as `INC-201`: the table ({tables}, DEL a file as a "
            "whole), then the kind of fault by its first figure: **1** missing, **2** unreadable, "
            "**3** not in the list, **4** out of range or out of place, **5** cells that disagree, "
            "**6** rows that disagree, **7** the file itself. Search this page for the code."
        ),
        "times": (
            "Dates with a time are in UTC, without a zone. Each data table also exists as "
            "`<table>_history`, with every version of every record."
        ),
    },
    "fr": {
        "title": "Dictionnaire des données",
        "generated": (
            "Produit à partir de `schemas/tables` par `python -m schemas.render` ; "
            "ne pas modifier à la main."
        ),
        "find": "S’orienter",
        "tables": "Tables",
        "table": "Table",
        "holds": "Une ligne correspond à",
        "rules": "Règles",
        "columns": "Colonnes",
        "column": "Colonne",
        "title_": "Intitulé",
        "type": "Type",
        "meaning": "Ce qu’elle contient",
        "always": "toujours remplie",
        "unit": "unité",
        "list": "liste",
        "example": "par exemple",
        "withheld": "masquée pour les fiches sensibles",
        "inputs": "Lu mais jamais conservé",
        "inputs_why": (
            "Un fichier peut contenir ces valeurs ; elles sont transformées et jamais publiées."
        ),
        "use": "Sert à",
        "limits": "Attention",
        "code": "Code",
        "severity": "Effet",
        "error": "ligne mise de côté",
        "warning": "ligne conservée et comptée",
        "says": "Ce qui ne va pas, et que faire",
        "delivery": "Au sujet d’un fichier entier",
        "delivery_error": "fichier refusé",
        "delivery_warning": "fichier accepté",
        "lists": "Listes de codes",
        "codes": "Codes",
        "some": "Quelques-uns",
        "read_a_code": (
            "Un rejet porte un code tel que `INC-201` : d’abord la table ({tables}, DEL un "
            "fichier entier), puis le genre de défaut selon le premier chiffre : **1** manquant, "
            "**2** illisible, **3** hors liste, **4** hors limites ou hors zone, **5** cellules "
            "qui se contredisent, **6** lignes qui se contredisent, **7** le fichier lui-même. "
            "Cherchez le code dans cette page."
        ),
        "times": (
            "Les dates avec heure sont en UTC, sans fuseau. Chaque table de données existe aussi "
            "sous le nom `<table>_history`, avec toutes les versions de chaque fiche."
        ),
    },
}

_UNITS_FR = {
    "byte": "octet",
    "day": "jour",
    "degree": "degré",
    "hour": "heure",
    "person": "personne",
    "piece": "pièce",
    "row": "ligne",
    "year": "année",
}


def data_dictionary(contracts: Sequence[Contract], language: Language) -> str:
    """The whole dictionary of `contracts` in `language`, ending with a line feed."""
    say = _WORDS[language]
    parts = [f"# {say['title']}", f"*{say['generated']}*", f"## {say['find']}"]
    tables = ", ".join(
        f"{one.codes} {one.title[language].lower()}" for one in contracts if one.kind == "data"
    )
    parts += [say["read_a_code"].format(tables=tables), say["times"]]
    parts += [_index(contracts, language)]
    for contract in contracts:
        parts += _table(contract, language)
    parts += [f"## {say['lists']}", _codelists(language)]
    return "\n\n".join(parts) + "\n"


def _index(contracts: Sequence[Contract], language: Language) -> str:
    say = _WORDS[language]
    rows = [
        (
            f"[`{contract.table}`](#{contract.table})",
            contract.description[language],
            str(len(contract.published)),
            str(len(contract.rules)),
        )
        for contract in contracts
    ]
    return _grid((say["table"], say["meaning"], say["columns"], say["rules"]), rows)


def _table(contract: Contract, language: Language) -> list[str]:
    say = _WORDS[language]
    parts = [
        f'## <a id="{contract.table}"></a>{contract.title[language]} · `{contract.table}`',
        contract.description[language],
        *_advice(contract, language),
        f"### {say['columns']} · `{contract.table}`",
        _columns(contract.published, language),
    ]
    inputs = contract.columns_filled_by("input")
    if inputs:
        parts += [f"**{say['inputs']}.** {say['inputs_why']}", _columns(inputs, language)]
    if contract.rules:
        about_files = not contract.rules[0].expectation
        heading = say["delivery"] if about_files else say["rules"]
        parts += [
            f"### {heading} · `{contract.table}`",
            _rules((*contract.rules, *contract.lake_rules), language),
        ]
    return parts


def _advice(contract: Contract, language: Language) -> list[str]:
    say = _WORDS[language]
    pairs = (
        (say["holds"], contract.grain),
        (say["use"], contract.usage),
        (say["limits"], contract.limitations),
    )
    colon = "\u00a0:" if language == "fr" else ":"
    return ["\n".join(f"- **{title}{colon}** {words[language]}" for title, words in pairs)]


def _columns(columns: Iterable[Column], language: Language) -> str:
    say = _WORDS[language]
    rows = [
        (
            f"`{column.name}`",
            column.label[language],
            column.duckdb_type,
            _meaning(column, language),
        )
        for column in columns
    ]
    return _grid((say["column"], say["title_"], say["type"], say["meaning"]), rows)


def _meaning(column: Column, language: Language) -> str:
    say = _WORDS[language]
    facts = [say["always"]] if column.is_required else []
    unit = _UNITS_FR.get(column.unit, column.unit) if language == "fr" else column.unit
    facts += [f"{say['unit']} {unit}"] if unit else []
    listed = column.codelist
    facts += [f"{say['list']} [`{listed}`](#list-{listed})"] if listed else []
    facts += [say["withheld"]] if column.withheld_when else []
    facts += [f"{say['example']} `{column.examples[0]}`"] if column.examples else []
    return f"{column.description[language]} *({', '.join(facts)})*"


def _rules(rules: Iterable[Rule], language: Language) -> str:
    say = _WORDS[language]
    rows = []
    for rule in rules:
        prefix = "" if rule.is_about_row else "delivery_"
        sentence = f"**{rule.message[language]}** {rule.explanation[language]}"
        rows.append(
            (
                f"`{rule.code}`",
                say[prefix + rule.severity],
                f"{sentence} → {rule.correction[language]}",
            )
        )
    return _grid((say["code"], say["severity"], say["says"]), rows)


def _codelists(language: Language) -> str:
    say = _WORDS[language]
    rows = []
    for name in codelist_names():
        listed = load_codelist(name)
        some = ", ".join(f"`{r['code']}` {r['label_' + language]}" for r in listed[:SHOWN_CODES])
        more = " …" if len(listed) > SHOWN_CODES else ""
        rows.append((f'<a id="list-{name}"></a>`{name}`', str(len(listed)), some + more))
    return _grid((say["list"].capitalize(), say["codes"], say["some"]), rows)


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_safe(cell) for cell in line) + " |" for line in lines)


def _safe(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")

"""The words of everything that can be wrong with an agreement, in both languages.

Not here: what a problem is (`agreement_problem.py`) and the search for them (`agreement_check.py`).

Codes: AGR-1xx the file does not say what an agreement must say, AGR-2xx it names what does not
exist, AGR-3xx a protection is missing, AGR-4xx a date, AGR-5xx worth a second look. A code is never
reused. An `error` makes the whole set of agreements unusable until it is mended.
"""

from __future__ import annotations

from typing import Literal

Level = Literal["error", "warning", "note"]

# code → level, English, French
WORDS: dict[str, tuple[Level, str, str]] = {
    "AGR-101": (
        "error",
        "There is no such file.",
        "Ce fichier n’existe pas.",
    ),
    "AGR-102": (
        "error",
        "Line {line} cannot be read as YAML. Compare its indentation and its quotes with the lines "
        "above.",
        "La ligne {line} n’est pas du YAML lisible. Comparez son retrait et ses guillemets avec "
        "les lignes du dessus.",
    ),
    "AGR-103": (
        "error",
        "The file is empty or is a list; an agreement begins with “agreement: <name>”.",
        "Le fichier est vide ou est une liste ; un accord commence par « agreement: <nom> ».",
    ),
    "AGR-104": (
        "error",
        "The agreement is named “{name}” and its file “{expected}”. Give both the same name.",
        "L’accord se nomme « {name} » et son fichier « {expected} ». Donnez-leur le même nom.",
    ),
    "AGR-105": (
        "error",
        "“{key}” is not a key that is known here. Known: {known}.",
        "« {key} » n’est pas une clé connue ici. Connues : {known}.",
    ),
    "AGR-106": (
        "error",
        "“{key}” is not a key that is known here; did you mean “{guess}”? Known: {known}.",
        "« {key} » n’est pas une clé connue ici ; vouliez-vous dire « {guess} » ? "
        "Connues : {known}.",
    ),
    "AGR-107": (
        "error",
        "“{key}” is missing. Nothing is assumed for it: write it.",
        "« {key} » manque. Rien n’est supposé à sa place : écrivez-la.",
    ),
    "AGR-108": (
        "error",
        "“{value}” is not one of {expected}.",
        "« {value} » n’est pas l’une des valeurs {expected}.",
    ),
    "AGR-109": (
        "error",
        "“{value}” is not written as it must be ({expected}).",
        "« {value} » n’est pas écrit comme il le faut ({expected}).",
    ),
    "AGR-110": (
        "error",
        "{value} is out of bounds: it must be at least {least}.",
        "{value} est hors limites : il faut au moins {least}.",
    ),
    "AGR-111": (
        "error",
        "It is empty. Name at least one.",
        "C’est vide. Nommez-en au moins un.",
    ),
    "AGR-112": (
        "error",
        "“{value}” is not what is expected here: {expected}.",
        "« {value} » n’est pas ce qui est attendu ici : {expected}.",
    ),
    "AGR-113": (
        "error",
        "“{key}” stands twice here, and the first would be lost. Make one of the two.",
        "« {key} » figure deux fois ici, et la première serait perdue. N’en faites qu’une.",
    ),
    "AGR-114": (
        "error",
        "Agreements end in .yaml; this file would be passed over, with its restrictions. "
        "Rename it.",
        "Les accords finissent par .yaml ; ce fichier serait passé sous silence, avec ses "
        "restrictions. Renommez-le.",
    ),
    "AGR-201": (
        "error",
        "There is no organisation “{name}” in organisations.csv. Nearest: {guess}.",
        "Il n’y a pas d’organisation « {name} » dans organisations.csv. La plus proche : {guess}.",
    ),
    "AGR-202": (
        "error",
        "There is no purpose “{name}” in purposes.csv. Nearest: {guess}.",
        "Il n’y a pas de finalité « {name} » dans purposes.csv. La plus proche : {guess}.",
    ),
    "AGR-203": (
        "error",
        "There is no table “{name}” that can be shared. There are: {known}.",
        "Il n’y a pas de table « {name} » qui puisse être partagée. Il y a : {known}.",
    ),
    "AGR-204": (
        "error",
        "There is no source “{name}” in sources.csv. Nearest: {guess}.",
        "Il n’y a pas de service « {name} » dans sources.csv. Le plus proche : {guess}.",
    ),
    "AGR-205": (
        "error",
        "The table {table} has no published column “{name}”. Nearest: {guess}.",
        "La table {table} n’a pas de colonne publiée « {name} ». La plus proche : {guess}.",
    ),
    "AGR-206": (
        "error",
        "“{name}” is not a code of the list {list}. Nearest: {guess}.",
        "« {name} » n’est pas un code de la liste {list}. Le plus proche : {guess}.",
    ),
    "AGR-207": (
        "error",
        "“{name}” is no dimension: name a column of words of {table}, or one of {known}.",
        "« {name} » n’est pas une dimension : nommez une colonne de mots de {table}, ou l’une de "
        "{known}.",
    ),
    "AGR-208": (
        "error",
        "“{name}” cannot be summed: a measure is “records” or a column of numbers of {table}.",
        "« {name} » ne peut pas être additionné : une mesure est « records » ou une colonne "
        "de nombres entiers de {table}.",
    ),
    "AGR-209": (
        "error",
        "The name “{name}” is given twice. Each clause and each standing extract has its own.",
        "Le nom « {name} » est donné deux fois. Chaque clause et chaque extrait permanent a "
        "le sien.",
    ),
    "AGR-210": (
        "error",
        "{name} is not provided by any party of this agreement. Add the organisation that "
        "provides it ({known}) to the parties, or leave the source out.",
        "{name} n’est fourni par aucune partie à cet accord. Ajoutez l’organisation qui le "
        "fournit ({known}) aux parties, ou retirez ce service.",
    ),
    "AGR-211": (
        "error",
        "The standing extract “{name}” is one of {agreement} already. Give it another name.",
        "L’extrait permanent « {name} » est déjà l’un de ceux de {agreement}. Donnez-lui un autre "
        "nom.",
    ),
    "AGR-301": (
        "error",
        "Counts need “small_cell_threshold”: cells below it are suppressed.",
        "Des dénombrements demandent « small_cell_threshold » : les cellules plus petites "
        "sont supprimées.",
    ),
    "AGR-302": (
        "error",
        "Records need “smallest_group”: rows that fewer share are made coarser or dropped.",
        "Des fiches demandent « smallest_group » : les lignes que moins de fiches partagent "
        "sont rendues moins précises ou retirées.",
    ),
    "AGR-303": (
        "error",
        "{name} is a security force: its clause needs “due_diligence”, the reference and "
        "dates of a human-rights review.",
        "{name} est une force de sécurité : sa clause demande « due_diligence », la référence "
        "et les dates d’un examen des droits de l’homme.",
    ),
    "AGR-304": (
        "error",
        "Records need “columns”: each one that may leave, by its name.",
        "Des fiches demandent « columns » : chacune de celles qui peuvent sortir, par son nom.",
    ),
    "AGR-305": (
        "error",
        "“{key}” has no meaning for {form}. Take it out, or change the form.",
        "« {key} » n’a pas de sens pour la forme {form}. Retirez-la, ou changez la forme.",
    ),
    "AGR-306": (
        "error",
        "Counts need “{key}”: name at least one.",
        "Des dénombrements demandent « {key} » : nommez-en au moins une.",
    ),
    "AGR-307": (
        "error",
        "The dimension “{name}” is finer than the precision of the clause ({limit}).",
        "La dimension « {name} » est plus fine que la précision de la clause ({limit}).",
    ),
    "AGR-308": (
        "warning",
        "The column “{name}” is finer than the precision of the clause ({limit}): it will be "
        "empty.",
        "La colonne « {name} » est plus fine que la précision de la clause ({limit}) : elle "
        "sera vide.",
    ),
    "AGR-309": (
        "warning",
        "{key} is {value}, which protects nobody. At least {least} is usual for data that is "
        "not public.",
        "{key} vaut {value}, ce qui ne protège personne. Au moins {least} est d’usage pour "
        "des données non publiques.",
    ),
    "AGR-310": (
        "error",
        "The column “{name}” is strictly confidential and the clause’s ceiling is {ceiling}. "
        "Leave it out, or have the ceiling agreed.",
        "La colonne « {name} » est strictement confidentielle et le plafond de la clause est "
        "{ceiling}. Retirez-la, ou faites convenir du plafond.",
    ),
    "AGR-311": (
        "warning",
        "Sensitive rows (sexual violence, children) may leave by this clause. Is that agreed "
        "by name?",
        "Des lignes sensibles (violences sexuelles, enfants) peuvent sortir par cette clause. "
        "Est-ce convenu expressément ?",
    ),
    "AGR-312": (
        "warning",
        "It may be handed on without the provider’s consent, and is not public.",
        "Ce qui sort peut être transmis sans l’accord du fournisseur, et n’est pas public.",
    ),
    "AGR-313": (
        "error",
        "“{name}” is opened here, and {clause} masks it in every row of this clause, by name or "
        "because it tells of {masked}. Take it out of one of the two.",
        "« {name} » est ouverte ici, et {clause} la masque dans chaque ligne de cette clause, par "
        "son nom ou parce qu’elle dit quelque chose de {masked}. Retirez-la de l’une des deux.",
    ),
    "AGR-401": (
        "error",
        "“{first}” comes after “{last}”. Mend one of the two.",
        "« {first} » vient après « {last} ». Corrigez l’une des deux.",
    ),
    "AGR-402": (
        "warning",
        "The agreement ended on {day}: it opens nothing any more. Its restrictions hold.",
        "L’accord a pris fin le {day} : il n’ouvre plus rien. Ses restrictions demeurent.",
    ),
    "AGR-403": (
        "warning",
        "The human-rights review of {reference} does not hold today (it covers {first} to "
        "{last}): the clause is closed to {names}.",
        "L’examen des droits de l’homme {reference} n’est pas valable aujourd’hui (il couvre "
        "du {first} au {last}) : la clause est fermée à {names}.",
    ),
    "AGR-404": (
        "note",
        "The agreement begins on {day}: it opens nothing before.",
        "L’accord commence le {day} : il n’ouvre rien avant.",
    ),
    "AGR-405": (
        "note",
        "The agreement ends on {day}, in {days} days.",
        "L’accord prend fin le {day}, dans {days} jours.",
    ),
    "AGR-406": (
        "note",
        "The human-rights review ends on {day}, before the agreement does: the clause closes then.",
        "L’examen des droits de l’homme prend fin le {day}, avant l’accord : la clause se "
        "ferme alors.",
    ),
    "AGR-501": (
        "warning",
        "“{name}” is text as somebody wrote it: it may name a person. Is it needed?",
        "« {name} » est un texte tel qu’on l’a écrit : il peut nommer une personne. Est-il "
        "nécessaire ?",
    ),
    "AGR-502": (
        "warning",
        "“{name}” is a token for a document or a thing: whoever holds it can follow one "
        "person through the rows. Is it needed?",
        "« {name} » est un jeton pour un document ou un objet : qui le détient peut suivre "
        "une personne de ligne en ligne. Est-il nécessaire ?",
    ),
    "AGR-503": (
        "note",
        "“{name}” is opened here and masked by {clause} for some or all of these rows. The "
        "restriction wins.",
        "« {name} » est ouverte ici et masquée par {clause} pour tout ou partie de ces "
        "lignes. La restriction l’emporte.",
    ),
    "AGR-504": (
        "note",
        "{clause} holds back some or all of the rows that are opened here. The restriction wins.",
        "{clause} retient tout ou partie des lignes ouvertes ici. La restriction l’emporte.",
    ),
    "AGR-505": (
        "warning",
        "{name} receives something and is not a party. Has it agreed to the conditions?",
        "{name} reçoit des données sans être partie. A-t-elle accepté les conditions ?",
    ),
    "AGR-506": (
        "warning",
        "No clause of this agreement permits this standing extract: each time it would be refused.",
        "Aucune clause de cet accord ne permet cet extrait permanent : il serait refusé à "
        "chaque fois.",
    ),
    "AGR-507": (
        "note",
        "{count} columns that help to recognise a person leave together ({names}); rows are "
        "made coarser until {k} share them, and many may be dropped.",
        "{count} colonnes qui aident à reconnaître une personne sortent ensemble ({names}) ; "
        "les lignes perdent en précision jusqu’à être {k} à les partager, et beaucoup peuvent "
        "être retirées.",
    ),
    "AGR-508": (
        "note",
        "{key} is {value}: a record may stand alone. The recipient is bound not to hand it on, and "
        "the manifest says how many stand alone.",
        "{key} vaut {value} : une fiche peut rester seule de son espèce. Le destinataire s’engage "
        "à ne pas la transmettre, et le manifeste dit combien sont seules.",
    ),
    "AGR-509": (
        "note",
        "With {columns} these are masked too, since they tell of it: {masked}. These stay open "
        "beside it: {open}.",
        "Avec {columns} sont aussi masquées, parce qu’elles en disent quelque chose : {masked}. À "
        "côté, restent ouvertes : {open}.",
    ),
}

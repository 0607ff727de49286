"""How people name where something happened: areas, and free text about a settlement.

Not here: settlements and positions (`world.py`). The quarters are generic words, not real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_TEXTS = {
    "fr": {
        "quarters": (
            "Plateau|Mission|Administratif|Aviation|Gare routière|Château d'eau|Carrière|"
            "Lycée|Hôpital|Stade|Marché à bétail|Port|Scierie|Petit marché"
        ),
        "urban": (
            "quartier {quarter}, {place}|{place}, quartier {quarter}|{place}, marché central|"
            "avenue principale, {place}|{place}, arrondissement {digit}"
        ),
        "rural": (
            "village à {number} km de {place}|à {number} km de {place}, axe {other}|"
            "PK {number}, route de {place}|axe {place} – {other}|"
            "{place}, chantier minier n° {number}|champs de {place}, côté {quarter}"
        ),
    },
    "en": {
        "quarters": (
            "Market area|Mission|Airport road|Town centre|Block 3|Block 7|Hospital road|"
            "Cattle market|River side|Ministries|Stadium|Custom|Radio station"
        ),
        "urban": (
            "{quarter}, {place}|{place}, {quarter}|{place} town, {quarter}|"
            "{place}, Block {digit}|near {quarter}, {place}"
        ),
        "rural": (
            "{number} km from {place}|{place}-{other} road, km {number}|cattle camp near {place}|"
            "village {number} miles off {place}|{place} Payam, {quarter}|road {place} to {other}"
        ),
    },
}


def describe(rng: np.random.Generator, reports: pd.DataFrame, language: str) -> pd.Series:
    """A short text on the place of each report, from its settlement (`place`, `kind`)."""
    import numpy as np
    import pandas as pd

    words, size = _TEXTS[language], len(reports)
    is_rural = (reports["kind"] == "rural").to_numpy()
    pattern = np.where(
        is_rural,
        rng.choice(words["rural"].split("|"), size),
        rng.choice(words["urban"].split("|"), size),
    )
    fillings: dict[str, Any] = {
        "{place}": reports["place"],
        "{other}": _another_place(rng, reports),
        "{quarter}": pd.Series(rng.choice(words["quarters"].split("|"), size)),
        "{number}": pd.Series(rng.integers(2, 38, size)).astype(str),
        "{digit}": pd.Series(rng.integers(1, 9, size)).astype(str),
    }
    text = pd.Series(pattern, index=reports.index)
    for mark, values in fillings.items():
        text = _fill(text, mark, pd.Series(np.asarray(values), index=text.index))
    return text


def area_names(language: str) -> dict[str, str]:
    """The name of each first-level area in a language."""
    from schemas.codelist import load_codelist

    return {row["code"]: row[f"label_{language}"] for row in load_codelist("admin_areas")}


def _fill(text: pd.Series, mark: str, values: pd.Series) -> pd.Series:
    """Each text with its own value in place of `mark`, which occurs at most once."""
    parts = text.str.partition(mark)
    return parts[0] + values.where(parts[1] != "", "") + parts[2]


def _another_place(rng: np.random.Generator, reports: pd.DataFrame) -> Any:
    """A place of the same area for each report, of the same country where there is no other."""
    import pandas as pd

    places = reports.groupby("admin1_code")["place"].nunique()
    has_other = reports["admin1_code"].map(places) > 1
    group = reports["admin1_code"].where(has_other, reports["country"])
    other = pd.Series("", index=reports.index, dtype=object)
    for name in group.unique():
        here = group == name
        known = (reports["admin1_code"] == name) | (reports["country"] == name)
        other[here] = rng.choice(reports.loc[known, "place"].unique(), int(here.sum()))
    return other

"""What Dagster shows in both languages, in one text: it knows no language of its reader.

Not here: words of findings, rules and columns (`pipelines`, `schemas`).
"""


def both(english: str, french: str) -> str:
    """The same in English and in French."""
    return f"{english} / {french}"

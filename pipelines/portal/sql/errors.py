"""Why the SQL box does not answer: coded sentences in both languages.

SQL-1xx the text is not a question that the box takes; SQL-2xx it was asked and could not be
answered. No sentence holds a path or a value of a row: only words of the question itself, names of
relations and columns, and positions.
"""

from __future__ import annotations

from typing import Any

from pipelines.core.errors import CodedError, Words, declare
from pipelines.core.i18n import mark, translator
from schemas.text import Language

declare(
    {
        "SQL-101": mark("Write a question first, for example: SELECT count(*) FROM incidents"),
        "SQL-102": mark("The question is too long: at most {most} characters."),
        "SQL-103": mark("The question is not understood near “{near}” (line {line})."),
        "SQL-104": mark("One question at a time: remove what follows the first “;”."),
        "SQL-105": mark(
            "Only questions are answered here (SELECT): nothing can be changed or set."
        ),
        "SQL-106": mark("There is no table “{name}” here. The tables are listed on this page."),
        "SQL-107": mark("The function “{name}” is not offered here."),
        "SQL-108": mark("Functions cannot stand where a table is expected, except unnest."),
        "SQL-109": mark("This way of writing is not offered here: {form}. Write a plain SELECT."),
        "SQL-110": mark("There is no table “{name}” here. Did you mean “{close}”?"),
        "SQL-111": mark(
            "The question holds a character that cannot be read (position {position})."
        ),
        "SQL-201": mark("There is no column “{column}” in the tables of the question."),
        "SQL-202": mark("There is no column “{column}” here. Did you mean “{close}”?"),
        "SQL-203": mark(
            "The question took longer than {seconds} seconds and was stopped. Ask for less: a "
            "shorter period, fewer columns, or a count instead of rows."
        ),
        "SQL-204": mark(
            "The question needs more memory than it may use. Ask for less: a shorter period, fewer "
            "columns, or a count instead of rows."
        ),
        "SQL-205": mark(
            "A value cannot be read as the type that the question asks for. Try TRY_CAST."
        ),
        "SQL-206": Words(
            mark("Your previous question is still being answered. Wait for it, then ask again."),
            http_status=429,
        ),
        "SQL-207": mark("No agreement opens records to your organisation for this purpose."),
        "SQL-208": mark("The question cannot be answered as it is written: {reason}."),
        "SQL-209": Words(
            mark("The box is busy with other questions. Try again in a moment."), http_status=429
        ),
        "SQL-210": Words(mark("Nothing is published yet."), http_status=503),
        "SQL-211": Words(
            mark("The tables cannot be prepared just now. Try again, or ask for an extract."),
            http_status=503,
        ),
        "SQL-212": mark("The name “{column}” stands for several columns: write table.column."),
        "SQL-213": mark(
            "Every column that is not summed or counted must be in GROUP BY: “{column}”."
        ),
        "SQL-214": mark(
            "The types do not fit together, for example a text compared with a number."
        ),
    }
)


class SqlError(CodedError):
    """The box does not answer."""

    kind_status = 422

    def __init__(self, code: str, **values: Any) -> None:
        """Keep the code and what fills its sentence."""
        super().__init__(code, field="body.question", **values)

    def __str__(self) -> str:
        """The code alone: the question is nobody else's."""
        return self.code

    def _say(self, sentence: str, language: Language) -> str:
        say = translator(language)
        values = {k: say(v) if k in ("form", "reason") else v for k, v in self.values.items()}
        return say(sentence, **values) if sentence else ""

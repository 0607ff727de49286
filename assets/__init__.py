"""Dagster and only Dagster: what is materialised, when, and with which checks.

Not here: any work on data; each asset is a call into `pipelines`.
"""

import dagster as dg

from pipelines.core.ownership import keep_private
from schemas.contract import table_names
from schemas.problem import ContractError
from schemas.text import LANGUAGES

keep_private()  # in each process of Dagster that loads this, for the files of Dagster too

try:
    table_names()
except ContractError as error:  # said here, before any asset is made of it: the sentence alone
    words = "\n".join(error.text(language) for language in LANGUAGES)
    raise dg.DagsterInvalidDefinitionError(words) from None

"""Dagster and only Dagster: what is materialised, when, and with which checks.

Not here: any work on data; each asset is a call into `pipelines`.
"""

from pipelines.private import keep_private

keep_private()  # in each process of Dagster that loads this, for the files of Dagster too

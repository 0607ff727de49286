"""Dagster and only Dagster: what is materialised, when, and with which checks.

Not here: any work on data; each asset is a call into `pipelines`.
"""

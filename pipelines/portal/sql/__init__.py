"""The analyst's SQL box: one question over the rows that the analyst's agreements permit.

Three fences, each of which holds without the others: the statement is read twice against lists of
what is allowed (`fence.py` by sqlglot, `engine_reading.py` by DuckDB's own parser); the tables are
copies of just the permitted rows (`boxes.py`); and the question runs in a process of its own, on a
connection without files, network or settings, with bounded time, memory and answer (`worker.py`).
"""

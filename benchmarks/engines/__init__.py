"""The programs that are measured, one module each; every one has `prepare(work)` and `run`.

Not here: measuring (`measure.py`) and comparing what they wrote (`compare.py`).

`prepare(work)` is what a service does once when it starts (imports, connections); it is timed
apart. `run(work, step)` is the work on one delivery; `step(label)` marks the end of a part of it.
All leave `accepted.parquet` and `quarantined.parquet` in `work.folder`, and the accepted rows as a
Delta table in `work.published`, but for `plain_copy`, which is the floor.
"""

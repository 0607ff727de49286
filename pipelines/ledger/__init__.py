"""The ledger: who did what, append-only and chained, and the database that it and others live in.

Not here: who may sign in (`accounts`) and what may leave (`release`).
"""

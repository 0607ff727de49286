"""What every room uses: settings, words, coded errors, DuckDB, keys, files, processes.

Not here: anything that knows a table, a feed or an agreement.
"""

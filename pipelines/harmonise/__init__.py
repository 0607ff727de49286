"""Compile a feed to one DuckDB query: map, cast, look up, derive, judge, route.

Not here: reading files (`landing`) and checking the result (`validate`).
"""

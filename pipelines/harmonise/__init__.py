"""Compile a feed to one DuckDB query

Not here:  map, cast, look up, derive, judge, route.:reading files (landing) and checking the result (validate).
"""

"""One request as one DuckDB query, for records and for counts, and what became of its rows."""

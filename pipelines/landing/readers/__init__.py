"""Readers of delivered files: delimited text, JSON, workbooks; each ends in rows of text."""

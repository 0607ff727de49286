"""The HTTP API: what the pages do, for programs.

Not here: the pages (`pages`) and what they ask of the other parts.
"""

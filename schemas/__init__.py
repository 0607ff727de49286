"""What the data must be: contracts, code lists, feeds, and the small typed readers of them.

Not here: anything that touches a row. This package imports nothing of ours.
"""

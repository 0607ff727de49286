"""What the data must be: contracts, code lists, feeds and agreements, with the typed readers of them.

Not here: anything that touches a row. This package imports nothing of ours.
"""

"""Makes `tests/` importable, so that tests of several folders may share a helper module.

Not here: fixtures of one stage; they stand beside its tests.
"""

"""How fast the journey of a delivery is, beside what else a person would use for the same work.

Not here: tests. Nothing in the tests depends on a time; `python -m benchmarks` prints ratios.
"""

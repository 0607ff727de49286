"""Seeded synthetic deliveries with their ground truth, for teaching and for tests.

Not here: real data, and anything that the pipeline needs.
"""

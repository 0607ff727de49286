"""How data moves: one folder a stage, in the order of the journey of a row.

Not here: what the data must be (`schemas`) and when things run (`assets`).
"""

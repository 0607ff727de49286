"""How the tables came to be, step by step; alembic finds the steps in `versions`.

Not here: the tables as they are now (`models.py` here and in `pipelines/accounts`).
"""

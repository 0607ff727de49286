"""Backing an installation up into one file, and starting again from it in an empty home.

Not here: the commands (`cli/backup.py`), and what each part keeps (the parts themselves).
"""

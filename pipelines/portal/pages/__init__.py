"""The pages, one module for each kind of person, and home and account for everybody.

Not here: what every page shares (`web.py`, `forms.py`, `templates/base.html`).
"""

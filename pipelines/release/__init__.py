"""What may leave, to whom: agreements compiled to extracts; marked, packed, signed, logged.

Not here: the agreements themselves (`schemas/agreements`) and the pages that ask (`portal`).
"""

"""The steps, one module each, in the order that their `down_revision` says.

Not here: anything that changes once it was used; a mistake is mended by a further step.
"""

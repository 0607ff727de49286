"""Publish: Delta tables, revisions, history, and the catalogue that analysts open.

Not here: judging rows; everything that reaches this stage was accepted or refused already.
"""

"""Publish

Not here:  Delta tables, revisions, history, the catalogue that analysts open.:judging rows; everything here is already accepted.
"""

"""Signing in and out: with a name and a password, or through an OpenID provider.

Not here: whether a password is right (`pipelines/accounts`), and one's own account (`pages`).
"""

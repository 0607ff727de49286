"""What every request passes through: who asks, may they, is the form ours, how often, what is said.

Not here: accounts and named actions (`pipelines/accounts`), and the pages.
"""

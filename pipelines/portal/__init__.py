"""The portal: web pages and an HTTP API for the people who use what is published.

Not here: what an agreement permits (`release`), who may sign in (`accounts`), what is judged
(`ingest`). The portal asks those and shows their answers.
"""

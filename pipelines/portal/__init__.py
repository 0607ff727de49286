"""The portal: web pages and an HTTP API for the people who use what is published.

What an agreement permits is known by `release`, who may sign in by `accounts`, what is judged by
`ingest`: the portal asks those and shows their answers.
"""

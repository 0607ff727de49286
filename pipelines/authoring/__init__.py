"""Help a data specialist write a feed: guess one from a sample, check one.

Not here: running deliveries (`pipelines.ingest`) and the declarations themselves (`schemas/feeds`).
"""

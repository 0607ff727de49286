"""Take a delivery in: fingerprint, receipt, immutable copy; read any format to text rows.

Not here: what the rows mean (`harmonise`), whether they may be published (`validate`).
"""

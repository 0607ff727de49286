"""The second opinion: Great Expectations audits, the verdict, Data Docs, the provider's report.

Not here: the first opinion, which the harmonise query gives.
"""

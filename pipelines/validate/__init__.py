"""The second opinion

Not here:  Great Expectations audits, the verdict, Data Docs, the provider's report.:the first opinion, which the harmonise query gives.
"""

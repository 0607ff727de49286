"""Take a delivery in

Not here:  fingerprint, receipt, immutable copy; read any format to text rows.:what the rows mean (harmonise).
"""

"""The journey of a delivery: ingested, published, judged again; each step is in the ledger."""

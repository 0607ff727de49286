"""Help a data specialist write a feed

Not here:  guess one from a sample, check one.:running deliveries.
"""

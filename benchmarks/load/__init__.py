"""The portal under load: two hundred people at once, fifty downloads of a large extract.

Not here: the speed of the pipeline (`benchmarks`), what happens when the portal is killed
(`tests/faults`).
"""

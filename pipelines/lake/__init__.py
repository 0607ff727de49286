"""Publish: Delta tables, revisions, history, and the catalogue that analysts open.

Not here: judging rows one by one; a row that reaches this stage was accepted. What several
deliveries say of one record is compared here, and a row may be held.
"""

import os

# deltalake brings an allocator of its own (jemalloc), which by default keeps what was freed for ten
# seconds: 0.2 GB more at 5 million rows, for no time. It reads this when it is first imported, and
# only the modules of this package import it.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:4")

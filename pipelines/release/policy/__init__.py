"""Who may have which rows and columns, how coarse: the agreements as clauses and as SQL."""

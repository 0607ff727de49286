"""Who may use the portal: accounts, sign-in, sessions, personal tokens, what each role may do.

Not here: pages and routes (`portal`) and what may leave to whom (`release`).
"""

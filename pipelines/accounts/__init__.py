"""Who may use the portal: accounts, sign-in, sessions, personal tokens, what each role may do.

Not here: pages and routes (`portal`) and what may leave to whom (`release`).

`permissions`: ROLES, ACTIONS, may, Person · `people`: add_user, users, set_password, … · `signin`:
authenticate, is_password_right · `sessions`: open_session, person_of_session, close_session ·
`totp`: enrol_totp, confirm_totp, remove_totp · `tokens`: make_token, person_of_token, tokens_of,
revoke_token · `models`: User, Session, Token, Job · refusals are `errors.AccountError`.
"""

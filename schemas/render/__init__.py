"""What is rendered from the contracts: schemas, DDL, expectation suites, the data dictionary.

Not here: the contracts themselves (`schemas/tables`) and who applies what is rendered.
"""

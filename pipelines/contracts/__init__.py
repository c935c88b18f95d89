"""The promises in `data_contracts/`, read once and offered to everyone else.

Belongs here: extracts (columns, types, rules), code lists, and what is made from them: template, dictionary, expectation
suite. Does not belong here: files that districts sent, or anything that runs a rule on them.
"""

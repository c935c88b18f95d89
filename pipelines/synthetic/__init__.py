"""Invented districts whose truth is known, so that everything that reads districts' files can be tried and measured.

In the order of the work: `network` (the model: schools, students, results, materials, and what is true of them), `files`
(the model as the csv files that districts would deliver, and its truth as JSON). All of it is invented but the list of
districts and their size and the tests that their states give, which come from the code lists.
Does not belong here: rules that check a file, indicators, and any real number about a school or its students. Nothing here
may be used to compute what it is the truth of: only demonstrations, tests and benchmarks read this package.
"""

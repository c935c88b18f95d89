"""Invented districts whose truth is known, for demonstrations, tests and benchmarks.

In the order of the work: `network` (the model: schools, students, results, materials, and what is true of
them), `files` (the model as the csv files that districts would deliver, and its truth as JSON). All of it is
invented but the districts' names and sizes and the tests that their states give; these come from the code
lists. Does not belong here: rules that check a file, indicators, and any real number about a school or its
students. No indicator may read this package: its truth is there to test them.
"""

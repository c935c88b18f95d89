"""Invented districts whose truth is known, for demonstrations, tests and benchmarks.

In the order of the work: `model` (what all parts share), `districts` (their traits), `schools` (schools, their
students, the directory), `results` (test results), `titles` and `materials` (the invented titles, and who uses
them), `truth` (what the truth says of the whole), `network` (joins these), `files` (the network as the csv files
that districts would deliver, and its truth as JSON). All of it is
invented but the districts' names and sizes and the tests that their states give; these come from the code
lists. Does not belong here: rules that check a file, indicators, and any real number about a school or its
students. No indicator may read this package: its truth is there to test them.
"""

"""Invented districts whose truth is known, for demonstrations, tests and benchmarks.

In the order of the work: `model` (what all parts share), `districts` (their traits), `conditions` (how each goes
about mathematics, and what is planted in it), `schools` (schools, their students, the directory), `implementation`
(each school's path through the stages), `workforce` (who works there), `states` (all students of a state, and NAEP),
`setting` (all of these together, and what a part is). Then the parts: `pathways` and `results` (test results),
`titles` and `materials`, `algebra`, `ratings`, `staff`, `leaders`, `surveys`, `tutoring`, `offices`, `programmes`.
Then `known` and `truth` (what is true of them), `network` (joins the parts), `layouts`, `faults` and `files` (what
the districts deliver, and the truth as JSON). All of it is invented but the districts' names and sizes and the tests
that their states give; these come from the code lists. Does not belong here: rules that check a file, indicators, and
any real number about a school or its students. No indicator may read this package: its truth is there to test them.
"""

"""What a district's analysts see: their own submissions, from a file to its receipt. A process of its own (`submit.py`).

One script for each page (`submit_file`, `my_submissions`, `submission`, `dictionary`, `verify_receipt`), and beside them what
they are made of: `identity` (who is asking), `frame` (what stands around every page), `place` and `dry_check` (what a file is,
and what is wrong with it), `findings`, `changes`, `receipt` (parts of pages), `words`, `tables`, `downloads`, `templates`. What
may be done with a submission stands in `pipelines.intake.desk`; releases, and other districts' numbers, are out of reach here.
"""

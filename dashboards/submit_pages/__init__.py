"""What a district's analysts see: their own submissions, from a file to its receipt. A process of its own (`submit.py`).

One script for each page, and beside them what the pages are made of: `identity` (who is asking), `frame` (what stands around
every page), `words`, `tables`, `downloads`, `findings` and `changes` (parts of pages). What may be done with a submission
stands in `pipelines.intake.desk`; releases, and other districts' numbers, are out of reach here.
"""

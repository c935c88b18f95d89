"""From delivered bytes to a certified submission.

In the order of the work: `reading` (bytes to text rows with physical lines), `mapping` (the district's columns to the
contract's), `checking` (rules to findings), `screening` (the three together: the one code path of dry run, command line,
inbox and page), `store` and `submission` (the append-only ledger and the life of a submission), `inbox`, `receipt`.
What becomes of certified rows does not belong here.
"""

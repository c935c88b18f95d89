"""Protection of small groups in a table of cells. Pure: knows nobody, reads and writes nothing.

Belongs here: which cells are protected and which others fall with them. Where cells come from and how a release is
written does not belong here.
"""

"""Protection of small groups in published tables. Pure: knows nobody, reads and writes nothing.

Belongs here, in the order in which it is used: which ranges a share is shown in (`bands`), the counts behind published values and
how they add up (`cells`), what can be worked out of them (`bounds`), which values are hidden (`suppression`, with `search` and
`exact`). `audit` attacks what came out and knows none of these. Where values come from and how a release is written does not
belong here.
"""

"""Documents for conveners and facilitators, made from releases.

Belongs here: what such a document says, as pure functions from published tables to files. It knows how a release is read and
nothing below: no number that is not published can reach a page. When documents are made belongs to `flow`.
"""

"""What pages are made of: words, filters, charts, tables, and the frame around every page.

Generic over the tables of a release: no district and no single indicator is named here. Queries do not belong here.
"""

"""What leaders see: pages over the current release, and nothing but the current release.

`app.py` holds the routes, `release_data.py` every query, `app_pages` one script a page, `components` what pages are made of.
Computing indicators, protecting small groups and reading districts' files do not belong here.
"""

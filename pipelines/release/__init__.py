"""Build, publish and read a release: an immutable, disclosure-protected set of published tables.

Belongs here: what is in a release, how it is written and which one is current. How cells are protected belongs to
`disclosure`; what is computed, to dbt; how it looks, to dashboards and briefing.
"""

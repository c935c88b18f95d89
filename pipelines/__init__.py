"""The NMIP data pipeline: from a district's file to a protected release.

The rooms read in the order in which data flow: contracts, intake, lake, warehouse, disclosure, release. Logic lives in
plain functions; `orchestration` is the only room that knows Dagster, and `cli` is the command line over all of them.
Dashboards do not belong here.
"""

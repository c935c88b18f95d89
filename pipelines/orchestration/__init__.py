"""The only room that knows Dagster: assets, checks, the job, sensors, and the instance they run on.

Every function here is a thin shell around one in `pipelines.flow`; a decision about data does not belong here.
"""

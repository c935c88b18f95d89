"""Certified extracts as Parquet: one file for each extract, school year and district, the submission in force.

Belongs here: where a partition lies, how it is written, what it holds. Deciding what is in force belongs to intake;
computing anything from it to dbt.
"""

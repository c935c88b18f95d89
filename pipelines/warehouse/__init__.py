"""dbt over the lake: the inputs it is handed, running it in process, and what leaves it.

The SQL itself lies in `dbt_project/`. Orchestration and disclosure do not belong here.
"""

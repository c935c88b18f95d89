-- Grain: state x grade x year. Published means and shares of the public schools of states, on which district means are put.
{{ config(materialized='external', format='parquet') }}

select
    unit_id as state,
    grade,
    year,
    mean,
    share_basic,
    share_proficient,
    se
from {{ ref('stg_naep_results') }}
where unit_type = 'state' and schools = 'public' and grade in ('4', '8')

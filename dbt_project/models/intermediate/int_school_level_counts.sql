-- Grain: district x school_year x school_id x grade x instrument x administration. Counts of single schools at the levels of the test, all
-- students, one grade at a time; schools that reported every level only.
{{ config(materialized='external', format='parquet') }}

select
    a.district,
    a.school_year,
    a.unit_id as school_id,
    a.grade,
    a.instrument,
    a.administration,
    a.submission_id,
    i.n_levels,
    a.n_level_1,
    a.n_level_2,
    a.n_level_3,
    a.n_level_4,
    a.n_level_5,
    a.n_level_6
from {{ ref('stg_assessment_levels') }} as a
inner join {{ ref('stg_instruments') }} as i on a.instrument = i.instrument
where
    a.unit_type = 'school'
    and a.subgroup = 'all'
    and position('_' in a.grade) = 0
    and a.n_level_1 is not null
    and a.n_level_2 is not null
    and (a.n_level_3 is not null or i.n_levels < 3)
    and (a.n_level_4 is not null or i.n_levels < 4)
    and (a.n_level_5 is not null or i.n_levels < 5)
    and (a.n_level_6 is not null or i.n_levels < 6)

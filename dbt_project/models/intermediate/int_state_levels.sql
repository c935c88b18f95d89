-- Grain: state x school_year x grade x instrument x administration. How a state's students are spread over the levels of its test, as
-- delivered; where two districts of one state delivered it, that of the first in the alphabet, a complete one before an incomplete one.
{{ config(materialized='external', format='parquet') }}

with ranked as (

    select
        d.state,
        s.*,
        row_number() over (
            partition by d.state, s.school_year, s.grade, s.instrument, s.administration
            order by case when s.n_tested is null or s.n_level_1 is null then 1 else 0 end, s.district
        ) as place
    from {{ ref('stg_state_level_distribution') }} as s
    inner join {{ ref('stg_districts') }} as d on s.district = d.district

)

select
    r.state,
    r.school_year,
    r.grade,
    r.instrument,
    r.administration,
    r.district as delivered_by,
    r.submission_id,
    i.n_levels,
    r.n_enrolled,
    r.n_tested,
    r.n_level_1,
    r.n_level_2,
    r.n_level_3,
    r.n_level_4,
    r.n_level_5,
    r.n_level_6
from ranked as r
inner join {{ ref('stg_instruments') }} as i on r.instrument = i.instrument
where r.place = 1

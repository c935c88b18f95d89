-- Grain: schools.
-- One core title whose guidance is not in use settles it; else every core title has to say that it is.
with counts as (

    select
        district,
        school_year,
        school_id,
        max(submission_id) as submission_id,
        case
            when max(case when not el_swd_guidance_in_use then 1 else 0 end) = 1 then 0
            when count(*) = count(el_swd_guidance_in_use) then 1
        end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from {{ ref('stg_curriculum_adoption') }}
    where role = 'core' and subgroup = 'all'
    group by district, school_year, school_id

),

totals as (

    {{ total_over_schools('counts') }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    numerator,
    denominator,
    n_schools,
    symbol,
    sources
from totals

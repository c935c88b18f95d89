-- Grain: district x school year x program_id x category (rater) x statistic (principle A to J; null: the programme as a whole).
select
    district,
    school_year,
    program_id,
    rater as category,
    cast(null as varchar) as statistic,
    'accomplished' as unit,
    cast(is_accomplished as double) as value,
    decided_by as flags,
    case when is_accomplished is null then 'x' end as symbol,
    submission_id as sources
from {{ ref('int_program_ratings') }}
union all
select
    district,
    school_year,
    program_id,
    rater as category,
    principle as statistic,
    'rating' as unit,
    case rating when 'accomplished' then 3.0e0 when 'developing' then 2.0e0 else 1.0e0 end as value,
    rating as flags,
    cast(null as varchar) as symbol,
    submission_id as sources
from {{ ref('stg_program_rubric') }}

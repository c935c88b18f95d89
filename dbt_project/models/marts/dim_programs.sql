-- Grain: program_id.
select
    program_id,
    label,
    kind,
    low_grade,
    high_grade,
    leader_training_cost_usd,
    teachers_per_leader_low,
    teachers_per_leader_high,
    leaders_per_year_low,
    leaders_per_year_high,
    description,
    source
from {{ ref('stg_programs') }}
order by program_id

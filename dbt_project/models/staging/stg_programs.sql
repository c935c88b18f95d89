-- Grain: program_id. Programmes that districts report on; a new one is a row of the code list.
select
    code as program_id,
    label,
    kind,
    low_grade,
    high_grade,
    cast(leader_training_cost_usd as double) as leader_training_cost_usd,
    cast(teachers_per_leader_low as double) as teachers_per_leader_low,
    cast(teachers_per_leader_high as double) as teachers_per_leader_high,
    cast(leaders_per_year_low as double) as leaders_per_year_low,
    cast(leaders_per_year_high as double) as leaders_per_year_high,
    description,
    source
from {{ source('codes', 'programs') }}

-- Grain: district x school_year x school_id x tool x core_action; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    tool,
    core_action,
    n_lessons,
    n_lessons_symbol,
    n_rated_3_4,
    n_rated_3_4_symbol,
    sampling
from {{ source('lake', 'observations') }}

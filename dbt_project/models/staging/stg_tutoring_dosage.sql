-- Grain: district x school_year x school_id x program; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    program,
    n_scheduled,
    n_scheduled_symbol,
    n_adequate,
    n_adequate_symbol,
    sessions_per_week,
    minutes_per_session,
    group_size
from {{ source('lake', 'tutoring_dosage') }}

-- Grain: district x school_year x program_id x cohort; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    program_id,
    cohort,
    n_leaders_trained,
    n_leaders_trained_symbol,
    training_cost_usd,
    n_teachers_supported,
    n_teachers_supported_symbol,
    n_students_reached,
    n_students_reached_symbol,
    immersion_hours,
    n_mathematician_sessions,
    n_mathematician_sessions_symbol,
    n_study_group_sessions,
    n_study_group_sessions_symbol,
    n_participants,
    n_participants_symbol,
    n_now_facilitating,
    n_now_facilitating_symbol
from {{ source('lake', 'program_reach') }}

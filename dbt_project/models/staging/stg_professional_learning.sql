-- Grain: district x school_year x school_id x kind; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    kind,
    n_teachers,
    n_teachers_symbol,
    n_teachers_10h,
    n_teachers_10h_symbol,
    n_teachers_full_cycle,
    n_teachers_full_cycle_symbol,
    n_k5_teachers_content,
    n_k5_teachers_content_symbol,
    n_teachers_sequenced_job_embedded,
    n_teachers_sequenced_job_embedded_symbol,
    n_leaders,
    n_leaders_symbol,
    contact_hours,
    job_embedded_hours
from {{ source('lake', 'professional_learning') }}

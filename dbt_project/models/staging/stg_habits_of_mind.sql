-- Grain: district x school_year x program_id x cohort x habit x occasion; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    program_id,
    cohort,
    habit,
    occasion,
    instrument,
    n_teachers,
    n_teachers_symbol,
    mean_score,
    sd_score,
    n_paired,
    n_paired_symbol,
    mean_change,
    sd_change
from {{ source('lake', 'habits_of_mind') }}

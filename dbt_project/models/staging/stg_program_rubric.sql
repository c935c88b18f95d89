-- Grain: district x school_year x program_id x principle x rater; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    program_id,
    principle,
    rater,
    rating,
    evidence
from {{ source('lake', 'program_rubric') }}

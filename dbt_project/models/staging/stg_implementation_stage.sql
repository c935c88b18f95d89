-- Grain: district x school_year x school_id x rating_date x rater; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    rating_date,
    rater,
    stage,
    rating_type,
    start_date
from {{ source('lake', 'implementation_stage') }}

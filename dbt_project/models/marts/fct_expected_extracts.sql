-- Grain: district x extract x school_year.
select
    district,
    extract,
    school_year,
    due_date,
    as_of,
    state,
    state_meaning,
    next_step,
    reason,
    submission_id,
    first_received_on,
    first_certified_on
from {{ ref('stg_expected_extracts') }}
order by district, school_year, extract

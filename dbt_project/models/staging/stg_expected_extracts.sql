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
from {{ source('ledger', 'expected_extracts') }}

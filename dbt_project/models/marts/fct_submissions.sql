-- Grain: submission_id.
select
    submission_id,
    district,
    extract,
    school_year,
    number,
    state,
    state_meaning,
    next_step,
    received_at,
    screened_at,
    certified_at,
    how,
    n_files,
    lines_in,
    lines_used,
    dropped_lines,
    rows_in,
    rows_used,
    dropped_rows,
    n_findings,
    first_message,
    contract_version,
    notes
from {{ ref('stg_submissions') }}
order by submission_id

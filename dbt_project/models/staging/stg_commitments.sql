-- Grain: district x school_year x convening x commitment_id; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    convening,
    commitment_id,
    challenge,
    text,
    due_date,
    status
from {{ source('lake', 'commitments') }}

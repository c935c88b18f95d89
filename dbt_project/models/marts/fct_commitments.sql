-- Grain: district x school_year x convening x commitment_id. How each commitment stood at the end of each school year.
select
    district,
    school_year,
    convening,
    commitment_id,
    challenge,
    text,
    due_date,
    status,
    submission_id
from {{ ref('stg_commitments') }}
order by district, school_year, convening, commitment_id

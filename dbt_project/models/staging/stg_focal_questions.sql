-- Grain: convening x challenge. A new question is a row of the code list.
select
    convening,
    challenge,
    indicator_id,
    label as question,
    source
from {{ source('codes', 'focal_questions') }}

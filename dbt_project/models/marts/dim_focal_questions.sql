-- Grain: convening x challenge. What a convening talks about, and the indicator that its briefing shows for it.
select
    convening,
    challenge,
    indicator_id,
    question,
    source
from {{ ref('stg_focal_questions') }}
order by convening, challenge

-- Grain: district x school_year x policy; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    policy,
    adopted_date,
    funded_until,
    status,
    challenge
from {{ source('lake', 'policy_register') }}

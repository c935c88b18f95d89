-- Grain: district x school_year x term; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    term,
    pl_hours_math,
    pl_hours_all,
    n_initiatives,
    n_initiatives_symbol,
    n_math_initiatives,
    n_math_initiatives_symbol,
    focus_challenge,
    shares_with_peers
from {{ source('lake', 'district_priorities') }}

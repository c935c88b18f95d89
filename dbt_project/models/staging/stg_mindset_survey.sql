-- Grain: district x school_year x school_id x respondent x grade_band x scale x instrument; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    respondent,
    grade_band,
    scale,
    instrument,
    n_eligible,
    n_eligible_symbol,
    n_respondents,
    n_respondents_symbol,
    n_favorable,
    n_favorable_symbol,
    scale_mean,
    scale_sd,
    alpha
from {{ source('lake', 'mindset_survey') }}

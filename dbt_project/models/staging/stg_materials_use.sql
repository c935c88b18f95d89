-- Grain: district x school_year x school_id x respondent x wave x source; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    respondent,
    wave,
    source,
    instrument,
    n_eligible,
    n_eligible_symbol,
    n_respondents,
    n_respondents_symbol,
    n_regular_use,
    n_regular_use_symbol,
    n_modifying,
    n_modifying_symbol,
    n_supplemental_titles,
    n_supplemental_titles_symbol,
    n_would_keep,
    n_would_keep_symbol
from {{ source('lake', 'materials_use') }}

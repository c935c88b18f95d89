-- Grain: district x school_year x message_id x audience x wave; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    message_id,
    audience,
    wave,
    instrument,
    comparison_message,
    is_in_use,
    n_shown,
    n_shown_symbol,
    n_resonated,
    n_resonated_symbol,
    mean_rating,
    sd_rating
from {{ source('lake', 'message_tests') }}

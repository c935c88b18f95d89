-- Grain: district x school_year x audience x topic x term; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    audience,
    topic,
    term,
    n_audience,
    n_audience_symbol,
    n_reached,
    n_reached_symbol,
    n_engaged,
    n_engaged_symbol,
    n_respondents,
    n_respondents_symbol,
    n_naming_priorities,
    n_naming_priorities_symbol
from {{ source('lake', 'stakeholder_communication') }}

-- Grain: schools x respondent x instrument x administration (wave); surveys only.
-- Schools whose people were not asked whether they would keep the title (blank with z) are in neither count nor the response rate.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        respondent,
        instrument,
        wave as administration,
        case when n_respondents = 0 then 0 else n_would_keep end as numerator,
        n_respondents as denominator,
        n_eligible,
        n_respondents as n_answered,
        {{ first_symbol(['n_respondents_symbol', 'n_would_keep_symbol']) }} as symbol
    from {{ ref('stg_materials_use') }}
    where
        source = 'survey'
        and respondent in ('teacher', 'student', 'family')
        and (n_would_keep is not null or n_would_keep_symbol <> 'z' or n_respondents = 0)

)

{{ answers_over_schools('counts', ['respondent', 'instrument', 'administration']) }}

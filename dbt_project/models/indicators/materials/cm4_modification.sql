-- Grain: schools x category (survey or log) x instrument x administration (wave); teachers only.
-- Schools whose teachers were not asked about changes (blank with z) are in neither count nor the response rate.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        respondent,
        source as category,
        instrument,
        wave as administration,
        case when n_regular_use = 0 then 0 else n_modifying end as numerator,
        n_regular_use as denominator,
        n_eligible,
        n_respondents as n_answered,
        {{ first_symbol(['n_regular_use_symbol', 'n_modifying_symbol']) }} as symbol
    from {{ ref('stg_materials_use') }}
    where
        respondent = 'teacher'
        and (n_modifying is not null or n_modifying_symbol <> 'z' or (n_regular_use = 0 and source <> 'log'))

)

{{ answers_over_schools('counts', ['respondent', 'category', 'instrument', 'administration']) }}

-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('vacant_fte', 'budgeted_fte', has_symbols=false) }}
    from {{ ref('stg_math_staff') }}

)

{{ total_over_schools('counts') }}

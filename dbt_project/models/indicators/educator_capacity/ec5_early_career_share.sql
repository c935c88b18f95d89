-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('n_early_career', 'n_math_teachers') }}
    from {{ ref('stg_math_staff') }}

)

{{ total_over_schools('counts') }}

-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('n_leaders_math_learning', 'n_leaders') }}
    from {{ ref('stg_school_leaders') }}

)

{{ total_over_schools('counts') }}

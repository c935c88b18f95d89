-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('n_sections_certified', 'n_sections_6_12') }}
    from {{ ref('stg_math_staff') }}

)

{{ total_over_schools('counts') }}

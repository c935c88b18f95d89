-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('n_new_hires_content_prepared', 'n_new_hires') }}
    from {{ ref('stg_math_staff') }}

)

{{ total_over_schools('counts') }}

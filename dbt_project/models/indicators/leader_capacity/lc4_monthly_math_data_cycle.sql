-- Grain: schools.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        case when monthly_math_data_cycle then 1 when not monthly_math_data_cycle then 0 end as numerator,
        1 as denominator,
        case when monthly_math_data_cycle is null then 'x' end as symbol
    from {{ ref('stg_school_leaders') }}

)

{{ total_over_schools('counts') }}

-- Grain: schools x category (rating type).
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        rating_type as category,
        is_reached as numerator,
        case when is_reached is not null then 1 end as denominator,
        cast(null as varchar) as symbol
    from {{ ref('int_school_stages') }}

)

{{ total_over_schools('counts', ['category']) }}

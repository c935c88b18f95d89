-- Grain: schools x category (rating type).
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        rating_type as category,
        is_reached * n_enrolled_in_scope as numerator,
        case when is_reached is not null then n_enrolled_in_scope end as denominator,
        n_enrolled_in_scope_symbol as symbol
    from {{ ref('int_school_stages') }}

)

{{ total_over_schools('counts', ['category']) }}

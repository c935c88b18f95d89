-- Grain: schools.
-- What is counted are licences of titles in grade-courses; titles on paper have none.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        case when n_licensed = 0 then 0 else n_recommended_use end as numerator,
        n_licensed as denominator,
        {{ first_symbol(['n_licensed_symbol', 'n_recommended_use_symbol']) }} as symbol
    from {{ ref('stg_curriculum_adoption') }}
    where
        subgroup = 'all'
        and (n_licensed is not null or (is_digital and coalesce(n_licensed_symbol, 'x') <> 'z'))

),

totals as (

    {{ total_over_schools('counts') }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    numerator,
    denominator,
    n_schools,
    symbol,
    sources
from totals

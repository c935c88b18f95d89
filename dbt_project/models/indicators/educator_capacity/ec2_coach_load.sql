-- Grain: schools x category (how coaches serve the school, or all schools together). A school that says it has no coach has no
-- coach's time, also where the column is blank; schools without a coach are in `all` only.
with schools as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        coach_model,
        case when n_math_teachers_symbol = 'z' then 0 else n_math_teachers end as n_teachers,
        n_math_teachers_symbol,
        case when coach_model = 'none' then coalesce(coach_fte, 0) else coach_fte end as coach_fte
    from {{ ref('stg_math_staff') }}

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        'all' as category,
        n_teachers as numerator,
        coach_fte as denominator,
        case when n_teachers is null or coach_fte is null then coalesce(n_math_teachers_symbol, 'x') end as symbol
    from schools
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        coach_model as category,
        n_teachers as numerator,
        coach_fte as denominator,
        case when n_teachers is null or coach_fte is null then coalesce(n_math_teachers_symbol, 'x') end as symbol
    from schools
    where coach_model <> 'none'

),

totals as (

    {{ total_over_schools('counts', ['category']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    category,
    numerator,
    denominator,
    cast(numerator as bigint) as n,
    n_schools,
    symbol,
    sources
from totals

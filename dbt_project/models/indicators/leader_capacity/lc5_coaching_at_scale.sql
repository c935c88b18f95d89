-- Grain: schools x statistic x category (size band by math teachers, or all schools); bands for whole districts only. Teachers for
-- each full-time coach stand in the bands only: over all schools they are the coach load (EC2).
with schools as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        case when n_math_teachers_symbol = 'z' then 0 else n_math_teachers end as n_teachers,
        case when coach_model = 'none' then coalesce(coach_fte, 0) else coach_fte end as coach_fte
    from {{ ref('stg_math_staff') }}

),

banded as (

    select
        *,
        case
            when n_teachers < {{ threshold('small_math_staff') }} then 'small'
            when n_teachers < {{ threshold('large_math_staff') }} then 'medium'
            when n_teachers is not null then 'large'
        end as band
    from schools

),

with_coach as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        band,
        case when coach_fte > 0 then 1 when coach_fte = 0 then 0 end as numerator,
        1 as denominator,
        case when coach_fte is null then 'x' end as symbol
    from banded

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        'schools_with_coach' as statistic,
        'all' as category,
        numerator,
        denominator,
        symbol
    from with_coach
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        'schools_with_coach' as statistic,
        band as category,
        numerator,
        denominator,
        symbol
    from with_coach
    where band is not null
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        'teachers_per_fte' as statistic,
        band as category,
        n_teachers as numerator,
        coach_fte as denominator,
        case when coach_fte is null then 'x' end as symbol
    from banded
    where band is not null

),

totals as (

    {{ total_over_schools('counts', ['statistic', 'category']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    category,
    statistic,
    numerator,
    denominator,
    cast(case when statistic = 'teachers_per_fte' then numerator else denominator end as bigint) as n,
    n_schools,
    case when statistic = 'schools_with_coach' then 'share' else 'teachers per FTE' end as unit,
    symbol,
    sources
from totals
where category = 'all' or {{ is_whole_district() }}

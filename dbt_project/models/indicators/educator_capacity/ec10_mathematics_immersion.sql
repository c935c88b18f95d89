-- Grain: schools x statistic (share of teachers; hours of each who took part).
with learning as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        n_math_teachers,
        n_math_teachers_symbol,
        n_teachers,
        n_teachers_symbol,
        contact_hours
    from {{ ref('int_staff_and_learning') }}
    where kind = 'mathematics_immersion'

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        'share' as statistic,
        {{ part_of_whole('n_teachers', 'n_math_teachers') }}
    from learning
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        'hours_per_teacher' as statistic,
        case when n_teachers = 0 then coalesce(contact_hours, 0) else contact_hours end as numerator,
        n_teachers as denominator,
        case
            when n_teachers is null then coalesce(n_teachers_symbol, 'x')
            when n_teachers > 0 and contact_hours is null then 'x'
        end as symbol
    from learning

),

totals as (

    {{ total_over_schools('counts', ['statistic']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    statistic,
    numerator,
    denominator,
    n_schools,
    case when statistic = 'share' then 'share' else 'hours' end as unit,
    symbol,
    sources
from totals

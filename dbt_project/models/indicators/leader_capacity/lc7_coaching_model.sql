-- Grain: district, its networks, levels and continuing schools x statistic x category (how coaches serve the school, or all).
with schools as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        coach_model,
        case when coach_model = 'none' then coalesce(coach_fte, 0) else coach_fte end as coach_fte,
        case when n_math_teachers_symbol = 'z' then 0 else n_math_teachers end as n_teachers,
        case
            when n_cycles is null and (coach_model = 'none' or n_cycles_symbol = 'z') then 0
            else n_cycles
        end as n_cycles,
        coalesce(n_math_teachers_symbol, n_cycles_symbol, 'x') as why_unknown
    from {{ ref('stg_math_staff') }}

),

counts as (
    {% for model in ('school', 'network', 'district') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        'share_of_fte' as statistic,
        '{{ model }}' as category,
        case when coach_model = '{{ model }}' or coach_fte is null then coach_fte else 0 end as numerator,
        coach_fte as denominator,
        case when coach_fte is null then 'x' end as symbol
    from schools
    union all
    {% endfor %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        'cycles_per_teacher' as statistic,
        coach_model as category,
        n_cycles as numerator,
        n_teachers as denominator,
        case when n_cycles is null or n_teachers is null then why_unknown end as symbol
    from schools
    where coach_model <> 'none'
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        'cycles_per_teacher' as statistic,
        'all' as category,
        n_cycles as numerator,
        n_teachers as denominator,
        case when n_cycles is null or n_teachers is null then why_unknown end as symbol
    from schools

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
    n_schools,
    case when statistic = 'share_of_fte' then 'share of FTE' else 'cycles per teacher' end as unit,
    symbol,
    sources
from totals
where unit_type = 'district'

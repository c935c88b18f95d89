-- Grain: schools x category (core action) x statistic (how lessons were chosen) x instrument (tool).
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        core_action as category,
        case when sampling = 'purposive' then 'purposive' else 'all_or_random' end as statistic,
        tool as instrument,
        {{ part_of_whole('n_rated_3_4', 'n_lessons') }},
        cast(null as bigint) as n_eligible,
        cast(null as bigint) as n_answered
    from {{ ref('stg_observations') }}

),

totals as (

    {{ answers_over_schools('counts', ['category', 'statistic', 'instrument']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    category,
    statistic,
    instrument,
    numerator,
    denominator,
    standard_error,
    n_schools,
    case when statistic = 'purposive' then 'purposive_sample' end as flags,
    symbol,
    sources
from totals

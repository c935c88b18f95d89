-- Grain: schools x statistic (mean; quartiles of groups of schools only).
with counts as (

    select
        district,
        school_year,
        school_id,
        max(submission_id) as submission_id,
        -- Who names no core and no supplemental title has not said that there is none.
        case
            when max(case when role in ('core', 'supplemental') then 1 else 0 end) = 1
                then count(distinct case when role = 'supplemental' then title end)
        end as n_titles
    from {{ ref('stg_curriculum_adoption') }}
    where subgroup = 'all'
    group by district, school_year, school_id

),

totals as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        cast(sum(n_titles) as double) as n_titles,
        count(n_titles) as n_schools,
        avg(case when n_titles is not null then 1.0e0 else 0.0e0 end) as coverage,
        {{ quantile_of('n_titles', '0.25') }} as p25,
        {{ quantile_of('n_titles', '0.75') }} as p75,
        max(submission_id) as submission_id,
        max(directory_submission_id) as directory_submission_id
    from ({{ in_school_groups('counts', ['n_titles']) }}) as grouped
    group by district, school_year, {{ school_groups() | join(', ') }}

),

by_statistic as (

    select
        *,
        'mean' as statistic,
        n_titles as numerator,
        cast(n_schools as double) as denominator,
        cast(null as double) as value
    from totals
    union all
    select
        *,
        'p25' as statistic,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        p25 as value
    from totals
    where unit_type = 'district'
    union all
    select
        *,
        'p75' as statistic,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        p75 as value
    from totals
    where unit_type = 'district'

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    statistic,
    case when coverage >= {{ threshold('minimum_coverage') }} then numerator end as numerator,
    case when coverage >= {{ threshold('minimum_coverage') }} then denominator end as denominator,
    case when coverage >= {{ threshold('minimum_coverage') }} then value end as value,
    n_schools as n,
    n_schools,
    case when coverage < {{ threshold('minimum_coverage') }} then 'x' end as symbol,
    {{ joined_sources('submission_id', 'directory_submission_id') }} as sources
from by_statistic

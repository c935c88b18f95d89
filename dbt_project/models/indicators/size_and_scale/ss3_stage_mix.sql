-- Grain: groups of schools (never a single one) x category (stage, or by which month) x statistic.
-- Medians and shares by month of fewer schools than the owned minimum are of low reliability: the symbol says so, and the stage mix,
-- which is shown with them or not at all, keeps standing.
with stages as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        rating_type,
        stage,
        case when rating_date >= start_date then {{ months_between_dates('start_date', 'rating_date') }} end as months_in_stage,
        -- Where the first day on record is one of implementation, nobody knows when the school began.
        case
            when rating_date >= first_date and (reached_date is null or reached_date > first_date)
                then {{ months_between_dates('first_date', 'rating_date') }}
        end as months_known,
        case when reached_date >= first_date then {{ months_between_dates('first_date', 'reached_date') }} end as months_to_reach
    from {{ ref('int_stage_histories') }}

),

mix as (
    {% for stage in ('exploration', 'installation', 'initial', 'full', 'not_rated') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        '{{ stage }}' as category,
        'share' as statistic,
        case when stage = '{{ stage }}' then 1 else 0 end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from stages
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

pace as (
    {% for months in (threshold('stage_pace_first'), threshold('stage_pace_second'), threshold('stage_pace_third')) %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        'initial_or_full_by_month_' || cast(cast({{ months }} as integer) as varchar) as category,
        'share_by_months_since_start' as statistic,
        case when months_to_reach <= {{ months }} then 1 else 0 end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from stages
    where months_known >= {{ months }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

shares as (

    select *
    from mix
    union all
    select *
    from pace

),

share_totals as (

    {{ total_over_schools('shares', ['category', 'statistic']) }}

),

months as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        stage as category,
        months_in_stage
    from stages
    where stage <> 'not_rated'
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        cast(null as varchar) as category,
        months_in_stage
    from stages
    where stage <> 'not_rated'

),

medians as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        category,
        {{ quantile_of('months_in_stage', '0.5') }} as median_months,
        count(months_in_stage) as n_schools,
        max(submission_id) as submission_id,
        max(directory_submission_id) as directory_submission_id
    from ({{ in_school_groups('months', ['category', 'months_in_stage']) }}) as grouped
    group by district, school_year, {{ school_groups() | join(', ') }}, category

),

unified as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        category,
        statistic,
        numerator,
        denominator,
        cast(null as double) as value,
        cast(denominator as bigint) as n,
        'share' as unit,
        case
            when symbol is not null then symbol
            when statistic <> 'share' and denominator < {{ threshold('minimum_schools_pace') }} then 'u'
        end as symbol,
        sources
    from share_totals
    union all
    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        category,
        'median_months_in_stage' as statistic,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        case when n_schools >= {{ threshold('minimum_schools_pace') }} then median_months end as value,
        n_schools as n,
        'months' as unit,
        case
            when n_schools = 0 then 'x'
            when n_schools < {{ threshold('minimum_schools_pace') }} then 'u'
        end as symbol,
        {{ joined_sources('submission_id', 'directory_submission_id') }} as sources
    from medians

),

raters as (

    select
        district,
        school_year,
        max(case when stage <> 'not_rated' and rating_type = 'self' then 1 else 0 end) as has_self_rating
    from stages
    group by district, school_year

)

select
    u.district,
    u.school_year,
    {% for name in school_groups() %}u.{{ name }},
    {% endfor %}u.category,
    u.statistic,
    case when u.symbol is null then u.numerator end as numerator,
    case when u.symbol is null then u.denominator end as denominator,
    u.value,
    u.n,
    u.n as n_schools,
    u.unit,
    case when r.has_self_rating = 1 then 'self_rated' end as flags,
    u.symbol,
    u.sources
from unified as u
inner join raters as r on u.district = r.district and u.school_year = r.school_year
where u.unit_type = 'district'

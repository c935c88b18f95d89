-- Grain: schools x category (programme; null: all programmes; programmes for whole districts only).
with sent as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        program,
        {{ count_or_zero('n_adequate', ['n_adequate_symbol', 'n_scheduled_symbol']) }} as numerator,
        {{ count_or_zero('n_scheduled', ['n_adequate_symbol', 'n_scheduled_symbol']) }} as denominator,
        {{ missing_symbol(['n_adequate_symbol', 'n_scheduled_symbol']) }} as symbol,
        'sessions_per_week=' || coalesce(cast(sessions_per_week as varchar), 'unknown')
        || '; minutes_per_session=' || coalesce(cast(minutes_per_session as varchar), 'unknown')
        || '; group_size=' || coalesce(cast(group_size as varchar), 'unknown') as dosage
    from {{ ref('stg_tutoring_dosage') }}

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        program as category,
        numerator,
        denominator,
        symbol
    from sent
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        cast(null as varchar) as category,
        numerator,
        denominator,
        symbol
    from sent

),

totals as (

    {{ total_over_schools('counts', ['category']) }}

),

definitions as (

    select
        district,
        school_year,
        program as category,
        case when min(dosage) = max(dosage) then min(dosage) else 'definition_varies' end as dosage
    from sent
    group by district, school_year, program
    union all
    select
        district,
        school_year,
        cast(null as varchar) as category,
        case when min(dosage) = max(dosage) then min(dosage) else 'definition_varies' end as dosage
    from sent
    group by district, school_year

)

select
    t.district,
    t.school_year,
    {% for name in school_groups() %}t.{{ name }},
    {% endfor %}t.category,
    t.numerator,
    t.denominator,
    t.n_schools,
    d.dosage as flags,
    t.symbol,
    t.sources
from totals as t
inner join definitions as d
    on t.district = d.district and t.school_year = d.school_year and coalesce(t.category, '') = coalesce(d.category, '')
where t.category is null or {{ is_whole_district() }}

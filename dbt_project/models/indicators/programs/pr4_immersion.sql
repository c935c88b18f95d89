-- Grain: district x school year x program_id x cohort (null: all cohorts) x statistic (hours a participant, sessions of two kinds).
-- `n` of sessions is of the people in the programme: sessions of a handful of teachers are protected with the rest of the row.
with figures as (

    select
        r.district,
        r.school_year,
        r.program_id,
        r.cohort,
        'hours' as statistic,
        'hours' as unit,
        case when r.n_participants is not null then r.immersion_hours end as numerator,
        case when r.immersion_hours is not null then r.n_participants end as denominator,
        cast(null as double) as value,
        cast(r.n_participants as bigint) as n,
        case
            when r.immersion_hours is not null and r.n_participants = 0 then 'z'
            when r.immersion_hours is null and p.kind <> 'immersion' then 'z'
            else coalesce(r.n_participants_symbol, r.immersion_hours_symbol)
        end as symbol,
        r.submission_id
    from {{ ref('int_program_reach') }} as r
    left join {{ ref('stg_programs') }} as p on r.program_id = p.program_id
    {% for kind in ('mathematician_sessions', 'study_group_sessions') %}
    union all
    select
        district,
        school_year,
        program_id,
        cohort,
        '{{ kind }}' as statistic,
        'sessions' as unit,
        cast(null as double) as numerator,
        cast(null as double) as denominator,
        n_{{ kind }} as value,
        cast(coalesce(n_participants, n_teachers_supported, n_leaders_trained) as bigint) as n,
        n_{{ kind }}_symbol as symbol,
        submission_id
    from {{ ref('int_program_reach') }}
    {% endfor %}
)

select
    district,
    school_year,
    program_id,
    cohort,
    statistic,
    unit,
    numerator,
    denominator,
    value,
    n,
    symbol,
    submission_id as sources
from figures

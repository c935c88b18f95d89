-- Grain: schools x statistic x instrument x administration (wave): regular use (CM3) as leaders and as teachers of the same schools
-- report it in the same survey, and how far the two are apart. A school without answers of both counts for neither.
with pairs as (

    select
        l.district,
        l.school_year,
        l.school_id,
        l.submission_id,
        l.instrument,
        l.wave as administration,
        l.n_eligible as n_leaders,
        l.n_respondents as n_leaders_answered,
        l.n_regular_use as n_leaders_regular,
        t.n_eligible as n_teachers,
        t.n_respondents as n_teachers_answered,
        t.n_regular_use as n_teachers_regular,
        coalesce(
            l.n_respondents > 0 and t.n_respondents > 0
            and l.n_regular_use between 0 and l.n_respondents and t.n_regular_use between 0 and t.n_respondents,
            false
        ) as has_both,
        case
            when
                'c' in (
                    coalesce(l.n_respondents_symbol, ''),
                    coalesce(l.n_regular_use_symbol, ''),
                    coalesce(t.n_respondents_symbol, ''),
                    coalesce(t.n_regular_use_symbol, '')
                )
                then 'c'
            else 'x'
        end as why_not
    from {{ ref('stg_materials_use') }} as l
    inner join {{ ref('stg_materials_use') }} as t
        on
            l.district = t.district
            and l.school_year = t.school_year
            and l.school_id = t.school_id
            and l.instrument = t.instrument
            and l.wave = t.wave
            and l.source = t.source
    where l.source = 'survey' and l.respondent = 'leader' and t.respondent = 'teacher'

),

counts as (
    {% for statistic in ('leader', 'teacher') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        '{{ statistic }}' as statistic,
        instrument,
        administration,
        case when has_both then n_{{ statistic }}s_regular end as numerator,
        case when has_both then n_{{ statistic }}s_answered end as denominator,
        n_{{ statistic }}s as n_eligible,
        n_{{ statistic }}s_answered as n_answered,
        case when not has_both then why_not end as symbol
    from pairs
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

answers as (

    {{ answers_over_schools('counts', ['statistic', 'instrument', 'administration']) }}

)

{{ shares_and_difference('answers', 'leader', 'teacher', 'absolute_difference', ['instrument', 'administration'], is_absolute=true) }}

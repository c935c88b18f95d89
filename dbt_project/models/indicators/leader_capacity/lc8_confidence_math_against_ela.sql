-- Grain: schools x statistic: leaders confident in mathematics, in English language arts, and the first less the second. Only schools
-- that gave both counts are in either.
with answered as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        n_leaders,
        n_respondents,
        case when n_respondents = 0 then coalesce(n_confident_math, 0) else n_confident_math end as n_math,
        case when n_respondents = 0 then coalesce(n_confident_ela, 0) else n_confident_ela end as n_ela,
        case
            when 'c' in (
                coalesce(n_respondents_symbol, ''), coalesce(n_confident_math_symbol, ''), coalesce(n_confident_ela_symbol, '')
            ) then 'c'
            else 'x'
        end as why_not
    from {{ ref('stg_school_leaders') }}

),

paired as (

    select
        *,
        coalesce(n_math between 0 and n_respondents and n_ela between 0 and n_respondents, false) as has_both
    from answered

),

counts as (
    {% for statistic in ('math', 'ela') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        '{{ statistic }}' as statistic,
        case when has_both then n_{{ statistic }} end as numerator,
        case when has_both then n_respondents end as denominator,
        n_leaders as n_eligible,
        n_respondents as n_answered,
        case when not has_both then why_not end as symbol
    from paired
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

answers as (

    {{ answers_over_schools('counts', ['statistic']) }}

)

{{ shares_and_difference('answers', 'math', 'ela', 'difference') }}

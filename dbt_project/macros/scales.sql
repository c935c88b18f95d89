{#-
  An indicator that is one scale of the mindset survey, as a whole query: for each group of schools the share of favorable answers
  (statistic `favorable`) and the mean of the scale (`scale_mean`), with what is known of the scale's reliability in `flags`.

  `respondents`: whose answers count. `has_grades`: whether they are asked by grade band, which is then returned as `grade`. The mean is
  weighted by respondents over the schools that gave one. Alpha is the mean of the rows' alphas weighted by respondents:
  `low_alpha` below the owned least value, `alpha_unknown` where no row has one.
-#}
{% macro scale_over_schools(scale, respondents, has_grades) -%}
{%- set breakdowns = (['grade'] if has_grades else []) + ['respondent', 'statistic', 'instrument'] -%}
{%- set alike = ['district', 'school_year'] + school_groups() + breakdowns | reject('equalto', 'statistic') | list -%}
{%- set measures = {
    'favorable': ('case when n_respondents = 0 then 0 else n_favorable end', 'n_respondents'),
    'scale_mean': (
        'case when n_respondents = 0 then 0 else n_respondents * scale_mean end',
        'case when n_respondents = 0 or scale_mean is not null then n_respondents end',
    ),
    'alpha': ('n_respondents * alpha', 'case when alpha is not null then n_respondents end'),
} -%}
with counts as (
    {% for statistic, parts in measures.items() %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        {% if has_grades %}grade_band as grade,
        {% endif %}respondent,
        '{{ statistic }}' as statistic,
        instrument,
        {{ parts[0] }} as numerator,
        {{ parts[1] }} as denominator,
        n_eligible,
        n_respondents as n_answered,
        {{ first_symbol(['n_respondents_symbol', 'n_favorable_symbol']) }} as symbol
    from {{ ref('stg_mindset_survey') }}
    where scale = '{{ scale }}' and respondent in ('{{ respondents | join("', '") }}')
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

totals as (

    {{ answers_over_schools('counts', breakdowns) }}

),

with_alpha as (

    select
        *,
        max(case when statistic = 'alpha' and denominator > 0 then numerator / denominator end)
            over (partition by {{ alike | join(', ') }}) as alpha,
        max(case when statistic = 'favorable' then denominator end) over (partition by {{ alike | join(', ') }}) as n_answers
    from totals

),

flagged as (

    select
        *,
        case
            when alpha is null then 'alpha_unknown'
            when alpha < {{ threshold('minimum_alpha') }} then 'low_alpha'
        end as reliability
    from with_alpha
    where statistic <> 'alpha'

)

select
    district,
    school_year,
    {{ (school_groups() + breakdowns) | join(',\n    ') }},
    numerator,
    denominator,
    standard_error,
    n_schools,
    response_rate,
    {{ joined_flags(['flags', 'reliability']) }} as flags,
    case when statistic = 'favorable' then 'share' else 'points' end as unit,
    -- Where people answered and no school gave a mean, it is missing and not inapplicable.
    case when symbol = 'z' and n_answers > 0 then 'x' else symbol end as symbol,
    sources
from flagged
{%- endmacro %}

{#- Flags of two columns as one text; null where there is none. -#}
{% macro joined_flags(columns) -%}
  coalesce({{ columns | join(" || '; ' || ") }}, {{ columns | join(', ') }})
{%- endmacro %}

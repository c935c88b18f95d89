{#-
  The final SELECT of an indicator that sets two shares of answers against each other: both shares, and their difference.

  `answers`: a relation of the model, made with `answers_over_schools(counts, ['statistic'] + breakdowns)`, in which `statistic` is
  `first` or `second` and both have the same schools. The shares' intervals are clustered Wilson intervals, those of the
  difference Newcombe's hybrid of the two, as if nothing linked them: shares that rise and fall together get too wide an interval
  and too large a standard error, never too small ones. `is_absolute`: the distance instead of the signed difference; where the
  interval of the difference holds zero, that of the distance begins there. `n` of the difference is that of the smaller group.
-#}
{% macro shares_and_difference(answers, first, second, difference, breakdowns=[], is_absolute=false) -%}
  {%- set key = ['district', 'school_year'] + school_groups() + breakdowns -%}
  {%- set each = ['numerator', 'share', 'standard_error', 'lower', 'upper', 'n', 'n_schools', 'response_rate', 'flags'] -%}
  select
    {{ key | join(',\n    ') }},
    statistic,
    numerator,
    cast(denominator as double) as denominator,
    share as value,
    standard_error,
    lower,
    upper,
    cast(denominator as bigint) as n,
    n_schools,
    response_rate,
    flags,
    'share' as unit,
    symbol,
    sources
  from ({{ bounded_answers(answers) }}) as shares
  union all
  select
    {{ key | join(',\n    ') }},
    '{{ difference }}' as statistic,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    {% if is_absolute -%}
    abs({{ first }}_share - {{ second }}_share) as value,
    {%- else -%}
    {{ first }}_share - {{ second }}_share as value,
    {%- endif %}
    sqrt(
      {{ first }}_standard_error * {{ first }}_standard_error + {{ second }}_standard_error * {{ second }}_standard_error
    ) as standard_error,
    {% if is_absolute -%}
    case when difference_lower is not null then greatest(0.0e0, difference_lower, -difference_upper) end as lower,
    case when difference_lower is not null then greatest(abs(difference_lower), abs(difference_upper)) end as upper,
    {%- else -%}
    difference_lower as lower,
    difference_upper as upper,
    {%- endif %}
    least({{ first }}_n, {{ second }}_n) as n,
    least({{ first }}_n_schools, {{ second }}_n_schools) as n_schools,
    case
      when {{ first }}_response_rate is not null and {{ second }}_response_rate is not null
        then least({{ first }}_response_rate, {{ second }}_response_rate)
    end as response_rate,
    case
      when {{ first }}_flags <> {{ second }}_flags then {{ first }}_flags || '; ' || {{ second }}_flags
      else coalesce({{ first }}_flags, {{ second }}_flags)
    end as flags,
    'difference_of_shares' as unit,
    symbol,
    sources
  from (
    select
      *,
      {{ newcombe_bound(
        first ~ '_share', first ~ '_lower', first ~ '_upper', second ~ '_share', second ~ '_lower', second ~ '_upper', 'lower'
      ) }}
        as difference_lower,
      {{ newcombe_bound(
        first ~ '_share', first ~ '_lower', first ~ '_upper', second ~ '_share', second ~ '_lower', second ~ '_upper', 'upper'
      ) }}
        as difference_upper
    from (
      select
        {{ key | join(',\n        ') }},
        {% for name in (first, second) -%}
        {% for measure in each -%}
        max(case when statistic = '{{ name }}' then {{ measure }} end) as {{ name }}_{{ measure }},
        {% endfor -%}
        {% endfor -%}
        max(symbol) as symbol,
        max(sources) as sources
      from ({{ bounded_answers(answers) }}) as shares
      group by {{ key | join(', ') }}
    ) as side_by_side
  ) as differences
{%- endmacro %}

{#- Answers over schools with their share and its interval; within one school every answer counts. -#}
{% macro bounded_answers(answers) -%}
  select
    *,
    cast(denominator as bigint) as n,
    case when denominator > 0 then numerator / denominator end as share,
    {{ wilson_bound('(numerator / denominator * independent_n)', 'independent_n', 'lower') }} as lower,
    {{ wilson_bound('(numerator / denominator * independent_n)', 'independent_n', 'upper') }} as upper
  from (
    select
      *,
      case
        when unit_type = 'school' then denominator
        else {{ effective_n('numerator', 'denominator', 'standard_error', 'n_schools') }}
      end as independent_n
    from {{ answers }}
  ) as sized
{%- endmacro %}

{#-
  Rows of schools put into every group that a value is computed for: the district, each network, each school level, the schools
  that are followed through all years, and each school for itself. Schools that the directory in force marks as out of scope are
  left out; a school that the directory lacks counts for its district and for itself.

  `counts`: a relation of the model with `district, school_year, school_id, submission_id` and the columns named. Returns these, the
  five columns of `school_groups()` and `directory_submission_id`.
-#}
{% macro in_school_groups(counts, columns) -%}
  {%- set own = ['district', 'school_year', 'school_id', 'submission_id'] + columns -%}
  select
    {% for name in own %}c.{{ name }},
    {% endfor %}g.unit_type,
    g.unit_id,
    g.network_id,
    g.school_level,
    g.school_set,
    g.submission_id as directory_submission_id
  from {{ counts }} as c
  inner join {{ ref('int_school_groups') }} as g
    on c.district = g.district and c.school_year = g.school_year and c.school_id = g.school_id
  union all
  select
    {% for name in own %}c.{{ name }},
    {% endfor %}u.unit_type,
    case when u.unit_type = 'school' then c.school_id end as unit_id,
    cast(null as varchar) as network_id,
    cast(null as varchar) as school_level,
    cast(null as varchar) as school_set,
    cast(null as varchar) as directory_submission_id
  from {{ counts }} as c
  left join {{ ref('int_schools') }} as s
    on c.district = s.district and c.school_year = s.school_year and c.school_id = s.school_id
  cross join (select 'district' as unit_type union all select 'school' as unit_type) as u
  where s.school_id is null
{%- endmacro %}

{#- The columns that say which schools stand behind a value; `schools` in an indicator's yml stands for them. -#}
{% macro school_groups() -%}
  {{ return(['unit_type', 'unit_id', 'network_id', 'school_level', 'school_set']) }}
{%- endmacro %}

{% macro joined_sources(own, directory) -%}
  case when {{ directory }} is null then {{ own }} else {{ own }} || '; ' || {{ directory }} end
{%- endmacro %}

{#-
  The final SELECT of an indicator that adds up administrative counts of schools.

  `counts` has one row for each school and combination of `breakdowns` with `numerator`, `denominator` (null where the school did not
  say) and `symbol` (why not, or null). A school that lacks either is in neither, so that a missing count is never a zero; where less
  than the owned share of rows can be counted, the value is unavailable.
-#}
{% macro total_over_schools(counts, breakdowns=[]) -%}
  {%- set key = ['district', 'school_year'] + school_groups() + breakdowns -%}
  select
    {{ key | join(',\n    ') }},
    case when coverage >= {{ threshold('minimum_coverage') }} then numerator end as numerator,
    case when coverage >= {{ threshold('minimum_coverage') }} then denominator end as denominator,
    n_schools,
    case
      when coverage < {{ threshold('minimum_coverage') }} and n_confidential > 0 then 'c'
      when coverage < {{ threshold('minimum_coverage') }} then 'x'
      when denominator = 0 then 'z'
    end as symbol,
    {{ joined_sources('submission_id', 'directory_submission_id') }} as sources
  from (
    select
      {{ key | join(',\n      ') }},
      avg(case when numerator is not null and denominator is not null then 1.0e0 else 0.0e0 end) as coverage,
      sum(case when (numerator is null or denominator is null) and symbol = 'c' then 1 else 0 end) as n_confidential,
      cast(sum(case when denominator is not null then numerator end) as double) as numerator,
      cast(sum(case when numerator is not null then denominator end) as double) as denominator,
      count(distinct case when numerator is not null and denominator is not null then school_id end) as n_schools,
      max(submission_id) as submission_id,
      max(directory_submission_id) as directory_submission_id
    from ({{ in_school_groups(counts, breakdowns + ['numerator', 'denominator', 'symbol']) }}) as grouped
    group by {{ key | join(', ') }}
  ) as totals
{%- endmacro %}

{#-
  The final SELECT of an indicator that rests on answers, clustered by school.

  `counts` has one row for each school and combination of `breakdowns` with `numerator` (answers counted, or answers x their mean),
  `denominator` (answers), `n_eligible` (people asked), `n_answered` (people who answered the survey at all) and `symbol`. The
  standard error is that of a ratio of school totals by linearisation, schools as drawn with replacement (Cochran 1977, Sampling
  Techniques, 6.11; Kish 1965); it is null with one school. Schools without counts stay in the response rate's denominator.
  `flags` says what a comparison has to know: `response_unknown`, `response_below_floor`, `low_response`.
-#}
{% macro answers_over_schools(counts, breakdowns=[]) -%}
  {%- set key = ['district', 'school_year'] + school_groups() + breakdowns -%}
  select
    {{ key | join(',\n    ') }},
    numerator,
    denominator,
    case
      when n_schools > 1 and denominator > 0 then
        sqrt(
          greatest(
            0.0e0,
            sum_xx - 2 * numerator / denominator * sum_xn + numerator / denominator * (numerator / denominator) * sum_nn
          ) * n_schools / (n_schools - 1)
        ) / denominator
    end as standard_error,
    n_schools,
    case when n_eligible > 0 then n_answered / n_eligible end as response_rate,
    case
      when n_eligible is null or n_eligible = 0 then 'response_unknown'
      when n_answered / n_eligible < {{ threshold('response_floor') }} then 'response_below_floor'
      when n_answered / n_eligible < {{ threshold('response_flagged') }} then 'low_response'
    end as flags,
    case
      when numerator is null and n_confidential > 0 then 'c'
      when numerator is null then 'x'
      when denominator = 0 then 'z'
    end as symbol,
    {{ joined_sources('submission_id', 'directory_submission_id') }} as sources
  from (
    select
      {{ key | join(',\n      ') }},
      sum(case when (numerator is null or denominator is null) and symbol = 'c' then 1 else 0 end) as n_confidential,
      cast(sum(case when denominator is not null then numerator end) as double) as numerator,
      cast(sum(case when numerator is not null then denominator end) as double) as denominator,
      sum(case when numerator is not null and denominator > 0 then 1 else 0 end) as n_schools,
      sum(case when denominator is not null then cast(numerator as double) * numerator end) as sum_xx,
      sum(cast(numerator as double) * denominator) as sum_xn,
      sum(case when numerator is not null then cast(denominator as double) * denominator end) as sum_nn,
      cast(sum(case when numerator is not null and denominator is not null and n_eligible is not null then n_answered else 0 end) as double)
        as n_answered,
      cast(sum(n_eligible) as double) as n_eligible,
      max(submission_id) as submission_id,
      max(directory_submission_id) as directory_submission_id
    from (
      {{ in_school_groups(counts, breakdowns + ['numerator', 'denominator', 'n_eligible', 'n_answered', 'symbol']) }}
    ) as grouped
    group by {{ key | join(', ') }}
  ) as totals
{%- endmacro %}

{#- The first reason among symbol columns why a number is not there. -#}
{% macro first_symbol(columns) -%}
  coalesce({{ columns | join(', ') }}{% if columns | length == 1 %}, null{% endif %})
{%- endmacro %}

{#- True of a value of the whole district, not of a network, a level, a school or the schools followed through all years. -#}
{% macro is_whole_district() -%}
  (unit_type = 'district' and network_id is null and school_level is null and school_set is null)
{%- endmacro %}

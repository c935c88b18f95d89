{#-
  An indicator that is one count of algebra_outcomes over another, for one cohort or for each of several. `courses`: also split by the
  course that the school's pathway begins with, for whole districts only. Ends with the final SELECT.
-#}
{% macro algebra_share(numerator, denominator, cohorts, courses=false, by_cohort=false) -%}
  {%- set symbols = [numerator ~ '_symbol', denominator ~ '_symbol'] -%}
  {%- set breakdowns = (['course'] if courses else []) + ['subgroup'] + (['cohort'] if by_cohort else []) -%}
  with sent as (

      select
          district,
          school_year,
          school_id,
          subgroup,
          cohort,
          submission_id,
          case pathway when 'traditional' then 'ALG1' when 'integrated' then 'INT1' end as course,
          {{ count_or_zero(numerator, symbols) }} as numerator,
          {{ count_or_zero(denominator, symbols) }} as denominator,
          {{ missing_symbol(symbols) }} as symbol
      from {{ ref('stg_algebra_outcomes') }}
      where cohort in ({% for cohort in cohorts %}'{{ cohort }}'{% if not loop.last %}, {% endif %}{% endfor %})

  ),

  counts as (

      select
          district,
          school_year,
          school_id,
          subgroup,
          cohort,
          submission_id,
          cast(null as varchar) as course,
          numerator,
          denominator,
          symbol
      from sent
      {% if courses %}
      union all
      select
          district,
          school_year,
          school_id,
          subgroup,
          cohort,
          submission_id,
          course,
          numerator,
          denominator,
          symbol
      from sent
      where course is not null
      {% endif %}
  ),

  totals as (

      {{ total_over_schools('counts', breakdowns) }}

  )

  select
      district,
      school_year,
      {{ school_groups() | join(',\n      ') }},
      {{ breakdowns | join(',\n      ') }},
      numerator,
      denominator,
      n_schools,
      symbol,
      sources
  from totals
  {% if courses %}where course is null or {{ is_whole_district() }}{% endif %}
{%- endmacro %}

{#-
  `numerator`, `denominator` and `symbol` of a school whose part of a whole is counted, for the macros over schools.

  A whole that cannot exist (symbol `z`: no such grade, no such teachers) is nothing, and so is its part where it is blank. A part
  larger than its whole, as two extracts of different days can give, is not capped: the school counts in neither (symbol `x`).
  `has_symbols`: whether the columns are counts, whose companion `<column>_symbol` says why one is blank.
-#}
{% macro part_of_whole(part, whole, has_symbols=true) -%}
  {%- if has_symbols -%}
    {%- set whole_or_none = '(case when ' ~ whole ~ "_symbol = 'z' then 0 else " ~ whole ~ ' end)' -%}
    {%- set why = 'coalesce(' ~ whole ~ '_symbol, ' ~ part ~ "_symbol, 'x')" -%}
  {%- else -%}
    {%- set whole_or_none = whole -%}
    {%- set why = "'x'" -%}
  {%- endif -%}
  {%- set part_or_none = '(case when ' ~ whole_or_none ~ ' = 0 then coalesce(' ~ part ~ ', 0) else ' ~ part ~ ' end)' -%}
  case when {{ part_or_none }} <= {{ whole_or_none }} then {{ part_or_none }} end as numerator,
  {{ whole_or_none }} as denominator,
  case
    when {{ part_or_none }} <= {{ whole_or_none }} then null
    when {{ part_or_none }} > {{ whole_or_none }} then 'x'
    else {{ why }}
  end as symbol
{%- endmacro %}

{#- How teachers who took part in one kind of learning stand to the teachers of their school: the body of `counts`. -#}
{% macro learning_counts(kind, part, whole) -%}
  select
    district,
    school_year,
    school_id,
    submission_id,
    {{ part_of_whole(part, whole) }}
  from {{ ref('int_staff_and_learning') }}
  where kind = '{{ kind }}'
{%- endmacro %}

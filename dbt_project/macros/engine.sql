{#- What DuckDB says in its own words. Models call these and stay portable; another engine gets macros of the same names. -#}

{#- One row for each part of a delimited text. -#}
{% macro split_to_rows(column, delimiter) -%}
  unnest(string_split({{ column }}, '{{ delimiter }}'))
{%- endmacro %}

{#- A quantile with linear interpolation between the two nearest values; null where there is nothing. -#}
{% macro quantile_of(column, share) -%}
  quantile_cont({{ column }}, {{ share }})
{%- endmacro %}

{#- Months between two dates, as a fraction: days by the mean length of a month of the Gregorian calendar. -#}
{% macro months_between_dates(earlier, later) -%}
  (date_diff('day', {{ earlier }}, {{ later }}) / 30.436875e0)
{%- endmacro %}

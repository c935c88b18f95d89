{#- School rows where the district sent no rows of its own for the same thing: a district's own row is never added to its schools'. -#}
{% macro preferred_unit_type(partition_columns) -%}
  min(unit_type) over (partition by {{ partition_columns | join(', ') }})
{%- endmacro %}

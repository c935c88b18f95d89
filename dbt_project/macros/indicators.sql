{#- The models of the indicator folder, as the wrapper lists them: dbt cannot infer refs from a loop over its graph. -#}
{% macro indicator_models() -%}
  {%- set models = var('indicator_models', []) -%}
  {%- if execute and not models -%}
    {{ exceptions.raise_compiler_error("indicator_models is not set: run dbt through nmip, which lists the folder.") }}
  {%- endif -%}
  {{ return(models) }}
{%- endmacro %}

{#- Breakdown columns of an indicator value, in order; null where an indicator is not split by one. -#}
{% macro breakdowns() -%}
  {{ return(['unit_type', 'unit_id', 'grade', 'subgroup', 'course', 'category', 'instrument', 'administration']) }}
{%- endmacro %}

{#- The models of the indicator folder, as the wrapper lists them: dbt cannot infer refs from a loop over its graph. -#}
{% macro indicator_models() -%}
  {%- set models = var('indicator_models', []) -%}
  {%- if execute and not models -%}
    {{ exceptions.raise_compiler_error("indicator_models is not set: run dbt through nmip, which lists the folder.") }}
  {%- endif -%}
  {{ return(models) }}
{%- endmacro %}

{#- Every breakdown of an indicator value, in order. An indicator's yml says which of them its SQL returns; the others are null. -#}
{% macro breakdowns() -%}
  {{ return(var('breakdowns')) }}
{%- endmacro %}

{#- What an indicator's SQL returns, as columns of one shape: `name` where it is returned, else a null of its type. -#}
{% macro returned_or_null(name, data_type, returned) -%}
  {% if name in returned %}{{ name }}{% else %}cast(null as {{ data_type }}) as {{ name }}{% endif %}
{%- endmacro %}

{#- A count of an administrative row: what cannot exist there (symbol z) adds nothing to a sum; what was not sent stays missing. -#}
{% macro count_or_zero(column, symbols) -%}
  case when {% for symbol in symbols %}coalesce({{ symbol }}, '') = 'z'{% if not loop.last %} or {% endif %}{% endfor %} then 0 else {{ column }} end
{%- endmacro %}

{#- The first reason among symbols why a number is missing, leaving out z, which is no reason to miss one. -#}
{% macro missing_symbol(symbols) -%}
  coalesce({% for symbol in symbols %}nullif({{ symbol }}, 'z'), {% endfor %}null)
{%- endmacro %}

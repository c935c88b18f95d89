{#- The value of an owned threshold (seeds/thresholds.csv), as a scalar. -#}
{% macro threshold(threshold_id) -%}
  (select value from {{ ref('thresholds') }} where threshold_id = '{{ threshold_id }}')
{%- endmacro %}

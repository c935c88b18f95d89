{#- A value is there or a symbol says why not; never both, never neither. -#}
{% test value_or_symbol(model) %}
select indicator_id, district, school_year, value, symbol
from {{ model }}
where (value is null) = (symbol is null)
{% endtest %}

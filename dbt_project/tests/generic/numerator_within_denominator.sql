{#- A share's numerator is part of its denominator. -#}
{% test numerator_within_denominator(model) %}
select indicator_id, district, school_year, numerator, denominator
from {{ model }}
where unit = 'share' and (numerator < 0 or numerator > denominator)
{% endtest %}

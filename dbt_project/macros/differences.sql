{#-
  A bound of the 95 % interval of a difference of two shares of different people, first minus second (Newcombe 1998, Statistics in
  Medicine 17:873-890, method 10): each share comes with the bounds of its own interval. Null where one of them is.
-#}
{% macro newcombe_bound(first, first_lower, first_upper, second, second_lower, second_upper, side) -%}
  {%- if side == 'lower' -%}
  {{ first }} - {{ second }} - sqrt(
    ({{ first }} - {{ first_lower }}) * ({{ first }} - {{ first_lower }})
    + ({{ second_upper }} - {{ second }}) * ({{ second_upper }} - {{ second }})
  )
  {%- else -%}
  {{ first }} - {{ second }} + sqrt(
    ({{ first_upper }} - {{ first }}) * ({{ first_upper }} - {{ first }})
    + ({{ second }} - {{ second_lower }}) * ({{ second }} - {{ second_lower }})
  )
  {%- endif -%}
{%- endmacro %}

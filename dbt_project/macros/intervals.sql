{#- Wilson score interval, 95 %, of a share x / n (Wilson 1927, J. Am. Stat. Assoc. 22:209-212). z is the 97.5 % normal quantile. -#}
{% macro wilson_bound(x, n, side) -%}
  {%- set z = '1.959963984540054e0' -%}
  {%- set sign = '-' if side == 'lower' else '+' -%}
  {%- set clamp = 'greatest(0.0e0, ' if side == 'lower' else 'least(1.0e0, ' -%}
  case
    when {{ n }} > 0 and {{ x }} >= 0 and {{ x }} <= {{ n }} then
      {{ clamp }}
        (
          {{ x }} / {{ n }} + {{ z }} * {{ z }} / (2 * {{ n }})
          {{ sign }} {{ z }} * sqrt(
            {{ x }} / {{ n }} * (1 - {{ x }} / {{ n }}) / {{ n }} + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }})
          )
        ) / (1 + {{ z }} * {{ z }} / {{ n }})
      )
  end
{%- endmacro %}

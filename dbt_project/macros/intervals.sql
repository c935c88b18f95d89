{#- 97.5 % normal quantile. -#}
{% macro z() -%}1.959963984540054e0{%- endmacro %}

{#- Wilson score interval, 95 %, of a share x / n (Wilson 1927, J. Am. Stat. Assoc. 22:209-212). n may be an effective size. -#}
{% macro wilson_bound(x, n, side) -%}
  {%- set z = z() -%}
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

{#- 97.5 % quantile of Student's t (Abramowitz & Stegun 1964, 26.7.5); exact for 1 and 2 degrees of freedom. -#}
{% macro t_quantile(df) -%}
  {%- set z = 1.959963984540054 -%}
  {%- set g1 = (z ** 3 + z) / 4 -%}
  {%- set g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 -%}
  {%- set g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 -%}
  {%- set g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160 -%}
  case
    when {{ df }} = 1 then 12.706204736432095e0
    when {{ df }} = 2 then 4.302652729911275e0
    when {{ df }} > 2 then
      {{ z }}e0 + {{ g1 }}e0 / ({{ df }}) + {{ g2 }}e0 / (({{ df }}) * ({{ df }}))
      + {{ g3 }}e0 / (({{ df }}) * ({{ df }}) * ({{ df }})) + {{ g4 }}e0 / (({{ df }}) * ({{ df }}) * ({{ df }}) * ({{ df }}))
  end
{%- endmacro %}

{#-
  How many independent answers a clustered sample is worth: p (1 - p) / SE^2, made smaller for the few clusters that the standard
  error rests on, and never more than there are (Korn & Graubard 1998, Survey Methodology 24:193-201). Where nobody or everybody
  agrees the standard error is zero and says nothing: all answers count then. Null with fewer than two clusters.
-#}
{% macro effective_n(x, n, standard_error, n_clusters) -%}
  case
    when {{ n }} > 0 and {{ n_clusters }} > 1 then
      case
        when {{ standard_error }} > 0 and {{ x }} > 0 and {{ x }} < {{ n }} then
          least(
            cast({{ n }} as double),
            {{ x }} / {{ n }} * (1 - {{ x }} / {{ n }}) / ({{ standard_error }} * {{ standard_error }})
            * ({{ z() }} / {{ t_quantile(n_clusters ~ ' - 1') }}) * ({{ z() }} / {{ t_quantile(n_clusters ~ ' - 1') }})
          )
        else cast({{ n }} as double)
      end
  end
{%- endmacro %}

-- Grain: indicator x district x school year x breakdowns. One shape for every indicator of the folder.
with unioned as (
    {% for indicator in indicator_models() %}
    select
        '{{ indicator.id }}' as indicator_id,
        '{{ indicator.definition_version }}' as definition_version,
        district,
        school_year,
        {% for breakdown in breakdowns() -%}
        {% if breakdown == 'unit_type' and breakdown not in indicator.breakdowns -%}
        'district' as unit_type,
        {% else -%}
        {{ returned_or_null(breakdown, 'varchar', indicator.breakdowns) }},
        {% endif -%}
        {% endfor -%}
        {% for measure in ('numerator', 'denominator', 'value', 'standard_error', 'lower', 'upper', 'response_rate') -%}
        {{ returned_or_null(measure, 'double', indicator.measures) }},
        {% endfor -%}
        {{ returned_or_null('n', 'bigint', indicator.measures) }},
        {{ returned_or_null('n_schools', 'bigint', indicator.measures) }},
        {{ returned_or_null('flags', 'varchar', indicator.measures) }},
        -- Only a release shows ranges; a sender's own range is a number that is not there.
        case when symbol = 'r' then 'x' else symbol end as symbol,
        sources,
        {% if 'unit' in indicator.measures %}unit{% else %}'{{ indicator.unit }}' as unit{% endif %},
        '{{ indicator.interval or "none" }}' as interval_method
    from {{ ref(indicator.model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

sized as (

    select
        *,
        case when value is null and denominator > 0 then numerator / denominator else value end as given_value,
        case
            when interval_method = 'clustered' and unit = 'share' and unit_type <> 'school'
                then {{ effective_n('numerator', 'denominator', 'standard_error', 'n_schools') }}
            when interval_method in ('wilson', 'clustered') and unit = 'share' then denominator
        end as wilson_n,
        case
            when n_schools is null then {{ z() }}
            else {{ t_quantile('(n_schools - 1)') }}
        end as quantile
    from unioned

)

select
    indicator_id,
    definition_version,
    district,
    school_year,
    {{ breakdowns() | join(',\n    ') }},
    case when symbol is null then numerator end as numerator,
    case when symbol is null then denominator end as denominator,
    case when symbol is null then given_value end as value,
    case when symbol is null then standard_error end as standard_error,
    case
        when symbol is not null then null
        when lower is not null then lower
        when wilson_n > 0 then {{ wilson_bound('(numerator / denominator * wilson_n)', 'wilson_n', 'lower') }}
        when unit <> 'share' then given_value - quantile * standard_error
    end as lower,
    case
        when symbol is not null then null
        when upper is not null then upper
        when wilson_n > 0 then {{ wilson_bound('(numerator / denominator * wilson_n)', 'wilson_n', 'upper') }}
        when unit <> 'share' then given_value + quantile * standard_error
    end as upper,
    unit,
    case when symbol is null then coalesce(n, cast(denominator as bigint)) end as n,
    case when symbol is null then cast(n_schools as bigint) end as n_schools,
    case when symbol is null then response_rate end as response_rate,
    flags,
    symbol,
    sources
from sized
order by indicator_id, district, school_year, {{ breakdowns() | join(', ') }}

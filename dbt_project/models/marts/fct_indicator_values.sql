-- Grain: indicator x district x school year x breakdowns. One shape for every indicator of the folder.
with unioned as (
    {% for indicator in indicator_models() %}
    select
        '{{ indicator.id }}' as indicator_id,
        '{{ indicator.definition_version }}' as definition_version,
        district,
        school_year,
        {{ breakdowns() | join(',\n        ') }},
        numerator,
        denominator,
        symbol,
        sources,
        '{{ indicator.unit }}' as unit,
        '{{ indicator.interval or "none" }}' as interval_method
    from {{ ref(indicator.model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    indicator_id,
    definition_version,
    district,
    school_year,
    {{ breakdowns() | join(',\n    ') }},
    case when symbol is null then numerator end as numerator,
    case when symbol is null then denominator end as denominator,
    case when symbol is null then numerator / denominator end as value,
    case when symbol is null and interval_method = 'wilson' then {{ wilson_bound('numerator', 'denominator', 'lower') }} end as lower,
    case when symbol is null and interval_method = 'wilson' then {{ wilson_bound('numerator', 'denominator', 'upper') }} end as upper,
    unit,
    case when symbol is null then cast(denominator as bigint) end as n,
    symbol,
    sources
from unioned
order by indicator_id, district, school_year, {{ breakdowns() | join(', ') }}

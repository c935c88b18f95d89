-- Grain: district x school year x category (indicator) x statistic x respondent x instrument x administration.
-- `n` is the smallest group behind the values of the networks and of the schools without a network, counting every part of a published
-- distribution: while it is large enough to be shown, no network's value is hidden, and the spread tells nothing new.
{%- set indicators = [
    {'id': 'SS1', 'model': 'ss1_school_reach', 'part': 'category', 'value': 'verified', 'rows': "category = 'verified'", 'of_people': 0},
    {
        'id': 'CM1', 'model': 'cm1_high_quality_materials', 'part': 'category', 'value': 'meets',
        'rows': "subgroup = 'all' and course is null", 'of_people': 1,
    },
    {
        'id': 'CM3', 'model': 'cm3_regular_use', 'part': 'category', 'value': 'survey',
        'rows': "respondent = 'teacher' and category = 'survey' and coalesce(flags, '') not like '%response_below_floor%'", 'of_people': 1,
    },
    {'id': 'EC3', 'model': 'ec3_full_coaching_cycle', 'part': "'all'", 'value': 'all', 'rows': 'true', 'of_people': 1},
] -%}
{%- set asked = ['respondent', 'instrument', 'administration'] -%}
{%- set key = ['district', 'school_year', 'category'] + asked %}
with measured as (
    {% for one in indicators %}
    select
        district,
        school_year,
        '{{ one.id }}' as category,
        {% for name in asked -%}
        {% if one.id == 'CM3' %}{{ name }}{% else %}cast(null as varchar) as {{ name }}{% endif %},
        {% endfor -%}
        network_id,
        {{ one.part }} as part,
        case when {{ one.part }} = '{{ one.value }}' then 1 else 0 end as is_value,
        {{ one.of_people }} as of_people,
        numerator,
        denominator,
        sources
    from {{ ref(one.model) }}
    where
        {{ one.rows }}
        and unit_type = 'district' and school_level is null and school_set is null
        and symbol is null
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

groups as (

    select
        {{ key | join(',\n        ') }},
        of_people,
        numerator,
        denominator
    from measured
    where network_id is not null
    union all
    select
        {{ key | join(',\n        ') }},
        of_people,
        sum(case when network_id is null then numerator else -numerator end) as numerator,
        sum(case when network_id is null then denominator else -denominator end) as denominator
    from measured
    group by {{ key | join(', ') }}, part, of_people
    having sum(case when network_id is null then 1 else 0 end) = 1

),

smallest as (

    select
        {{ key | join(',\n        ') }},
        min(
            case
                when of_people = 0 then denominator
                else
                    least(
                        case when numerator > 0 then numerator else denominator end,
                        case when numerator < denominator then denominator - numerator else denominator end
                    )
            end
        ) as smallest_group
    from groups
    where denominator > 0
    group by {{ key | join(', ') }}

),

spreads as (

    select
        {{ key | join(',\n        ') }},
        count(*) as n_networks,
        {{ quantile_of('numerator / denominator', '0.9') }} - {{ quantile_of('numerator / denominator', '0.1') }} as spread,
        max(sources) as sources
    from measured
    where is_value = 1 and network_id is not null and denominator > 0
    group by {{ key | join(', ') }}

),

rated as (

    select
        {% for name in key %}w.{{ name }},
        {% endfor %}w.n_networks,
        w.spread,
        w.sources,
        cast(s.smallest_group as bigint) as n,
        case
            when w.n_networks < {{ threshold('minimum_networks') }} then 'z'
            when s.smallest_group < {{ threshold('minimum_group_of_a_spread') }} then 'c'
        end as symbol
    from spreads as w
    inner join smallest as s
        on
            w.district = s.district
            and w.school_year = s.school_year
            and w.category = s.category
            {% for name in asked -%}
            and coalesce(w.{{ name }}, '') = coalesce(s.{{ name }}, '')
            {% endfor %}

)

select
    {{ key | join(',\n    ') }},
    'p90_minus_p10' as statistic,
    'difference_of_shares' as unit,
    case when symbol is null then spread end as value,
    n,
    symbol,
    sources
from rated
union all
select
    {{ key | join(',\n    ') }},
    'networks' as statistic,
    'networks' as unit,
    case when symbol is null then cast(n_networks as double) end as value,
    n,
    symbol,
    sources
from rated

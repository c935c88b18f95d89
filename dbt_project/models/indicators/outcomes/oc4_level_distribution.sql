-- Grain: schools x grade (null: all grades of a single school) x subgroup x category x instrument x administration.
with counts as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        grade,
        subgroup,
        instrument,
        administration,
        sources,
        n_levels,
        n_units,
        n_units_with_levels,
        n_units_confidential,
        proficient_level,
        n_level_1,
        n_level_2,
        n_level_3,
        n_level_4,
        n_level_5,
        n_level_6,
        coalesce(n_level_1, 0) + coalesce(n_level_2, 0) + coalesce(n_level_3, 0)
        + coalesce(n_level_4, 0) + coalesce(n_level_5, 0) + coalesce(n_level_6, 0) as n_in_levels
    from {{ ref('int_district_levels') }}

),

by_category as (
    {% for level in range(1, 7) %}
    select
        *,
        'level_{{ level }}' as category,
        n_level_{{ level }} as numerator
    from counts
    where n_levels >= {{ level }}
    union all
    {% endfor %}
    select
        *,
        'proficient_or_above' as category,
        {% for level in range(1, 7) -%}
        case when proficient_level <= {{ level }} then coalesce(n_level_{{ level }}, 0) else 0 end
        {%- if not loop.last %} + {% endif %}
        {% endfor %} as numerator
    from counts
)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    grade,
    subgroup,
    category,
    instrument,
    administration,
    case when n_units_with_levels > 0 then cast(numerator as double) end as numerator,
    case when n_units_with_levels > 0 then cast(n_in_levels as double) end as denominator,
    case
        when n_units_with_levels = 0 and n_units_confidential > 0 then 'c'
        when n_units_with_levels = 0 then 'x'
        when n_in_levels = 0 then 'z'
    end as symbol,
    sources
from by_category

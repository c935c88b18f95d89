-- Grain: schools x category (years that the principal has led the school). A school without a principal on the day has no tenure
-- to count: it is in no denominator, and alone has nothing to divide by.
with counts as (
    {% for tenure in ('0_1', '2_3', '4_plus') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        '{{ tenure }}' as category,
        case when principal_tenure = '{{ tenure }}' then 1 else 0 end as numerator,
        case when principal_tenure is null then 0 else 1 end as denominator,
        cast(null as varchar) as symbol
    from {{ ref('stg_school_leaders') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

totals as (

    {{ total_over_schools('counts', ['category']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    category,
    numerator,
    denominator,
    cast(denominator as bigint) as n_schools,
    symbol,
    sources
from totals

-- Grain: schools x subgroup x statistic (share of the subgroup and of all; difference), review result meets, all courses.
-- The shares stand beside their difference so that it is protected, and understood, together with them.
{%- set alike = ['district', 'school_year'] + school_groups() %}
with shares as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        subgroup,
        category,
        n_schools,
        symbol,
        sources,
        case when symbol is null then numerator end as x_subgroup,
        case when symbol is null then denominator end as n_subgroup
    from {{ ref('cm1_high_quality_materials') }}
    where category = 'meets' and course is null

),

beside_all as (

    select
        *,
        max(case when subgroup = 'all' then x_subgroup end) over (partition by {{ alike | join(', ') }}) as x_all,
        max(case when subgroup = 'all' then n_subgroup end) over (partition by {{ alike | join(', ') }}) as n_all,
        max(case when subgroup = 'all' then symbol end) over (partition by {{ alike | join(', ') }}) as symbol_all
    from shares

),

bounded as (

    select
        *,
        n_all - n_subgroup as n_rest,
        case when n_all > n_subgroup then (x_all - x_subgroup) / (n_all - n_subgroup) end as share_rest,
        {{ wilson_bound('x_subgroup', 'n_subgroup', 'lower') }} as lower_subgroup,
        {{ wilson_bound('x_subgroup', 'n_subgroup', 'upper') }} as upper_subgroup,
        {{ wilson_bound('(x_all - x_subgroup)', '(n_all - n_subgroup)', 'lower') }} as lower_rest,
        {{ wilson_bound('(x_all - x_subgroup)', '(n_all - n_subgroup)', 'upper') }} as upper_rest
    from beside_all

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    subgroup,
    category,
    'share' as statistic,
    x_subgroup as numerator,
    n_subgroup as denominator,
    cast(null as double) as value,
    cast(null as double) as lower,
    cast(null as double) as upper,
    cast(n_subgroup as bigint) as n,
    n_schools,
    'share' as unit,
    symbol,
    sources
from bounded
union all
select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    subgroup,
    category,
    'difference' as statistic,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    x_subgroup / n_subgroup - x_all / n_all as value,
    {% for side in ('lower', 'upper') -%}
    n_rest / n_all * (
        {{ newcombe_bound('x_subgroup / n_subgroup', 'lower_subgroup', 'upper_subgroup', 'share_rest', 'lower_rest', 'upper_rest', side) }}
    ) as {{ side }},
    {% endfor -%}
    cast(n_subgroup as bigint) as n,
    n_schools,
    'difference_of_shares' as unit,
    coalesce(symbol, symbol_all, case when n_all is null then 'x' end) as symbol,
    sources
from bounded
where subgroup <> 'all'

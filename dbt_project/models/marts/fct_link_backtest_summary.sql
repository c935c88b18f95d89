-- Grain: one row. How far linked means were off over the cells that judge them, and which error the interval therefore holds. Coverage is
-- claimed from the owned least number of cells on.
with cells as (

    select
        sum(case when is_judged then 0 else 1 end) as n_refused,
        sum(case when is_judged and is_within then 1 else 0 end) as n_within
    from {{ ref('fct_link_backtest') }}

)

select
    cast(e.n_cells as integer) as n_cells,
    cast(coalesce(c.n_refused, 0) as integer) as n_refused,
    cast(coalesce(c.n_within, 0) as integer) as n_within,
    e.bias,
    e.rmse,
    e.linking_sd,
    e.judged_by,
    {{ threshold('published_linking_rmse') }} as published_rmse,
    cast({{ threshold('minimum_backtest_cells') }} as integer) as minimum_cells,
    case when e.judged_by = 'own' then cast(c.n_within as double) / e.n_cells end as coverage
from {{ ref('int_linking_error') }} as e
cross join cells as c

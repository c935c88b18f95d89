-- Grain: list x code. What the codes in a release are called.
select
    list,
    code,
    label,
    sort_order
from {{ source('catalogue', 'codes') }}
order by list, sort_order, code

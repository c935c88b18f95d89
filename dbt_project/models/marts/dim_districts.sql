-- Grain: code.
select
    code,
    label,
    state
from {{ source('codes', 'districts') }}
order by code

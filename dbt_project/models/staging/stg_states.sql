-- Grain: state. The smallest group that each state itself reports.
select
    code as state,
    label,
    cast(minimum_n as bigint) as minimum_n
from {{ source('codes', 'states') }}

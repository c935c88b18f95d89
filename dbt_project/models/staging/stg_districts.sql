-- Grain: district. The districts of the project.
select
    code as district,
    label,
    state,
    cast(minimum_n as bigint) as minimum_n
from {{ source('codes', 'districts') }}

-- Grain: district. The districts of the project.
select
    code as district,
    label,
    state
from {{ source('codes', 'districts') }}

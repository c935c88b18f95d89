-- Grain: subgroup. Groups of students, and the group that each gap is measured against.
select
    code as subgroup,
    label,
    dimension,
    gap_reference
from {{ source('codes', 'subgroups') }}

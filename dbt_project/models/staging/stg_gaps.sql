-- Grain: district x school_year x grade x subgroup x instrument x administration. As Python estimated it; nothing is computed here.
select
    district,
    school_year,
    grade,
    subgroup,
    instrument,
    administration,
    n,
    gap,
    gap_se,
    reason,
    sources
from {{ source('estimates', 'gaps') }}

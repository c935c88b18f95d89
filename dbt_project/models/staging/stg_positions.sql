-- Grain: district x school_year x grade x subgroup x instrument x administration. As Python estimated it; nothing is computed here.
select
    district,
    school_year,
    state,
    grade,
    subgroup,
    instrument,
    administration,
    n,
    position,
    position_se,
    spread,
    reason,
    linked_mean,
    linked_variance,
    link_reason,
    link_flags,
    sources
from {{ source('estimates', 'positions') }}

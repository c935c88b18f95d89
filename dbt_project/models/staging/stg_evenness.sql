-- Grain: district x school_year x grade x instrument x administration. As Python estimated it; nothing is computed here.
select
    district,
    school_year,
    grade,
    instrument,
    administration,
    n,
    n_schools,
    between_share,
    between_share_se,
    reason,
    sources
from {{ source('estimates', 'evenness') }}

-- Grain: district x school year x grade x subgroup x instrument x administration; whole districts only.
select
    district,
    school_year,
    grade,
    subgroup,
    instrument,
    administration,
    position as value,
    position_se as standard_error,
    n,
    reason as flags,
    case
        when position is not null then null
        when reason in ('group_too_small', 'one_end_level') then 'u'
        else 'x'
    end as symbol,
    sources
from {{ ref('stg_positions') }}

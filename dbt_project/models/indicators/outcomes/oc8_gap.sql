-- Grain: district x school year x grade x subgroup x instrument x administration; the group less its reference group, whole districts only.
select
    district,
    school_year,
    grade,
    subgroup,
    instrument,
    administration,
    gap as value,
    gap_se as standard_error,
    reason as flags,
    case
        when gap is not null then null
        when reason in ('groups_incomplete', 'no_reference_group') then 'x'
        else 'u'
    end as symbol,
    sources
from {{ ref('stg_gaps') }}

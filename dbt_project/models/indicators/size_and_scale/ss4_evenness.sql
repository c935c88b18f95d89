-- Grain: district x school year x grade x instrument x administration; whole districts, all students.
select
    district,
    school_year,
    grade,
    'all' as subgroup,
    instrument,
    administration,
    between_share as value,
    between_share_se as standard_error,
    case when between_share is not null then greatest(0.0e0, between_share - {{ z() }} * between_share_se) end as lower,
    case when between_share is not null then least(1.0e0, between_share + {{ z() }} * between_share_se) end as upper,
    n_schools,
    reason as flags,
    case
        when between_share is not null then null
        when reason = 'no_school_levels' then 'x'
        else 'u'
    end as symbol,
    sources
from {{ ref('stg_evenness') }}

-- Grain: district x school year x grade x subgroup x instrument x administration; whole districts, grades 4 to 8. The error of linking
-- is the same for every value and comes from the back-test, or from publication while the back-test is too short.
select
    p.district,
    p.school_year,
    p.grade,
    p.subgroup,
    p.instrument,
    p.administration,
    p.linked_mean as value,
    sqrt(p.linked_variance + e.linking_sd * e.linking_sd) as standard_error,
    p.n,
    coalesce(p.link_reason, p.link_flags) as flags,
    case
        when p.linked_mean is not null then null
        when p.link_reason in ('group_too_small', 'one_end_level') then 'u'
        else 'x'
    end as symbol,
    p.sources
from {{ ref('stg_positions') }} as p
cross join {{ ref('int_linking_error') }} as e

-- Grain: code. `minimum_n`: the stricter of the district's own minimum and of what its state reports; a release takes the project's too.
select
    d.district as code,
    d.label,
    d.state,
    greatest(d.minimum_n, coalesce(s.minimum_n, d.minimum_n)) as minimum_n
from {{ ref('stg_districts') }} as d
left join {{ ref('stg_states') }} as s on d.state = s.state
order by d.district

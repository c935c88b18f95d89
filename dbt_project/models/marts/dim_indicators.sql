-- Grain: indicator_id.
select
    indicator_id,
    name,
    challenge,
    definition,
    numerator,
    denominator,
    unit,
    counts,
    direction,
    basis,
    is_describe_only,
    interval,
    caveats,
    definition_version,
    breakdowns,
    must_match,
    response_floor,
    estimated_from
from {{ source('catalogue', 'indicators') }}
order by indicator_id

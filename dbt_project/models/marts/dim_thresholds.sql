-- Grain: threshold_id.
select
    threshold_id,
    value,
    unit,
    definition,
    owner,
    rationale
from {{ ref('thresholds') }}
order by threshold_id

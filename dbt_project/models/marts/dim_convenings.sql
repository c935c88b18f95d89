-- Grain: convening. The annual meetings of the six districts, and the school year that each closes.
select
    convening,
    label,
    held_on,
    school_year,
    audience,
    source
from {{ ref('stg_convenings') }}
order by held_on, convening

-- Grain: convening. A new one is a row of the code list.
select
    code as convening,
    label,
    cast(held_on as date) as held_on,
    school_year,
    audience,
    source
from {{ source('codes', 'convenings') }}

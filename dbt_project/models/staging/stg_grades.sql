-- Grain: grade. Grades and pooled grades, with the places of the lowest and the highest grade in them.
select
    g.code as grade,
    cast(low.sort_order as integer) as low_place,
    cast(high.sort_order as integer) as high_place
from {{ source('codes', 'grades') }} as g
inner join {{ source('codes', 'grades') }} as low on g.low_grade = low.code
inner join {{ source('codes', 'grades') }} as high on g.high_grade = high.code

-- Grain: schools x grade (null: all grades of a single school) x subgroup x instrument x administration.
select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    grade,
    subgroup,
    instrument,
    administration,
    cast(n_tested_of_enrolled as double) as numerator,
    cast(n_enrolled as double) as denominator,
    case
        when n_units_with_participation = 0 then 'x'
        when n_enrolled = 0 then 'z'
    end as symbol,
    sources
from {{ ref('int_district_levels') }}

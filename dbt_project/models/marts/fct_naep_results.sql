-- Grain: unit_type x unit_id x schools x grade x year. NAEP mathematics of districts, states and the nation.
select
    unit_type,
    unit_id,
    schools,
    grade,
    year,
    school_year,
    mean,
    share_basic,
    share_proficient,
    se,
    source
from {{ ref('stg_naep_results') }}
order by unit_type, unit_id, schools, grade, year

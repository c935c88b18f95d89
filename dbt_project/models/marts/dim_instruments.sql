-- Grain: code.
select
    instrument as code,
    label,
    state,
    test,
    n_levels,
    proficient_level,
    level_1_label,
    level_2_label,
    level_3_label,
    level_4_label,
    level_5_label,
    level_6_label,
    first_school_year,
    last_school_year,
    grades,
    cut_version,
    scale_version,
    mode,
    course_test_replaces,
    note,
    source
from {{ ref('stg_instruments') }}
order by code

-- Grain: instrument. The real tests of the states, one row for each stretch of years without a change.
select
    code as instrument,
    label,
    state,
    test,
    cast(n_levels as integer) as n_levels,
    cast(proficient_level as integer) as proficient_level,
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
from {{ source('codes', 'instruments') }}

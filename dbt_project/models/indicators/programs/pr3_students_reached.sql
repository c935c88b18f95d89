-- Grain: district x school year x program_id x cohort (null: all cohorts).
select
    district,
    school_year,
    program_id,
    cohort,
    n_students_reached as value,
    cast(n_students_reached as bigint) as n,
    n_students_reached_symbol as symbol,
    submission_id as sources
from {{ ref('int_program_reach') }}

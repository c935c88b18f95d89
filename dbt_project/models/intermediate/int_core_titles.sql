-- Grain: district x school year x school x course x title x subgroup: core titles in use.
select
    district,
    school_year,
    school_id,
    course,
    title,
    subgroup,
    review_status,
    n_students,
    n_students_symbol,
    submission_id
from {{ ref('stg_curriculum_adoption') }}
where role = 'core'

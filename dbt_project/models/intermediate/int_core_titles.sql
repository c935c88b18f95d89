-- Grain: district x school year x school x course x title x subgroup, core titles in use in schools that take part.
-- A school that the directory in force marks as out of scope is left out; a school that the directory lacks is kept.
select
    c.district,
    c.school_year,
    c.school_id,
    c.course,
    c.title,
    c.subgroup,
    c.review_status,
    c.n_students,
    case
        when d.submission_id is null then c.submission_id
        else c.submission_id || '; ' || d.submission_id
    end as submission_id
from {{ ref('stg_curriculum_adoption') }} as c
left join {{ ref('stg_school_directory') }} as d
    on c.district = d.district and c.school_year = d.school_year and c.school_id = d.school_id
where c.role = 'core' and coalesce(d.in_scope, true)

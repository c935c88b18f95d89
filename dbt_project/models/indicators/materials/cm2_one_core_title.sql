-- Grain: district x school year x course (null: every course that the school teaches).
with school_courses as (

    select
        district,
        school_year,
        school_id,
        course,
        count(distinct title) as n_titles,
        max(submission_id) as submission_id
    from {{ ref('int_core_titles') }}
    where subgroup = 'all'
    group by district, school_year, school_id, course

),

schools as (

    select
        district,
        school_year,
        cast(null as varchar) as course,
        max(n_titles) as n_titles,
        max(submission_id) as submission_id
    from school_courses
    group by district, school_year, school_id
    union all
    select
        district,
        school_year,
        course,
        n_titles,
        submission_id
    from school_courses

)

select
    district,
    school_year,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as grade,
    'all' as subgroup,
    course,
    cast(null as varchar) as category,
    cast(null as varchar) as instrument,
    cast(null as varchar) as administration,
    cast(sum(case when n_titles = 1 then 1 else 0 end) as double) as numerator,
    cast(count(*) as double) as denominator,
    cast(null as varchar) as symbol,
    max(submission_id) as sources
from schools
group by district, school_year, course

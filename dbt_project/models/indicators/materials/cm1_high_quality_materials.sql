-- Grain: district x school year x course (null: all) x subgroup x category.
-- A school's course in which any title came without a student count is in no category, so that a missing count is never
-- a zero; where less than the owned share of school-courses can be counted, the value is unavailable.
with school_courses as (

    select
        district,
        school_year,
        school_id,
        course,
        subgroup,
        case when count(*) = count(n_students) then 1 else 0 end as is_counted
    from {{ ref('int_core_titles') }}
    group by district, school_year, school_id, course, subgroup

),

titles as (

    select
        t.district,
        t.school_year,
        t.course,
        t.subgroup,
        t.review_status,
        t.submission_id,
        case when s.is_counted = 1 then t.n_students end as n_students
    from {{ ref('int_core_titles') }} as t
    inner join school_courses as s
        on
            t.district = s.district
            and t.school_year = s.school_year
            and t.school_id = s.school_id
            and t.course = s.course
            and t.subgroup = s.subgroup

),

coverage as (

    select
        district,
        school_year,
        course,
        subgroup,
        avg(cast(is_counted as double)) as share_counted
    from school_courses
    group by district, school_year, course, subgroup
    union all
    select
        district,
        school_year,
        cast(null as varchar) as course,
        subgroup,
        avg(cast(is_counted as double)) as share_counted
    from school_courses
    group by district, school_year, subgroup

),

by_review as (

    select
        district,
        school_year,
        course,
        subgroup,
        review_status,
        sum(n_students) as n_students,
        max(submission_id) as submission_id
    from titles
    group by district, school_year, course, subgroup, review_status
    union all
    select
        district,
        school_year,
        cast(null as varchar) as course,
        subgroup,
        review_status,
        sum(n_students) as n_students,
        max(submission_id) as submission_id
    from titles
    group by district, school_year, subgroup, review_status

),

totals as (

    select
        district,
        school_year,
        course,
        subgroup,
        sum(n_students) as n_students,
        max(submission_id) as submission_id
    from by_review
    group by district, school_year, course, subgroup

),

categories as (

    select 'meets' as category
    union all
    select 'partially_meets' as category
    union all
    select 'does_not_meet' as category
    union all
    select 'not_reviewed' as category

)

select
    t.district,
    t.school_year,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as grade,
    t.subgroup,
    t.course,
    c.category,
    cast(null as varchar) as instrument,
    cast(null as varchar) as administration,
    case when v.share_counted >= {{ var('minimum_coverage') }} then cast(coalesce(r.n_students, 0) as double) end as numerator,
    case when v.share_counted >= {{ var('minimum_coverage') }} then cast(t.n_students as double) end as denominator,
    case
        when v.share_counted < {{ var('minimum_coverage') }} then 'x'
        when t.n_students = 0 then 'z'
    end as symbol,
    t.submission_id as sources
from totals as t
inner join coverage as v
    on
        t.district = v.district
        and t.school_year = v.school_year
        and coalesce(t.course, '') = coalesce(v.course, '')
        and t.subgroup = v.subgroup
cross join categories as c
left join by_review as r
    on
        t.district = r.district
        and t.school_year = r.school_year
        and coalesce(t.course, '') = coalesce(r.course, '')
        and t.subgroup = r.subgroup
        and c.category = r.review_status

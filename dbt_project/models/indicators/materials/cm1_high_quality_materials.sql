-- Grain: district x school year x course (null: all) x subgroup x category.
with by_review as (

    select
        district,
        school_year,
        course,
        subgroup,
        review_status,
        sum(n_students) as n_students,
        max(submission_id) as submission_id
    from {{ ref('int_core_titles') }}
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
    from {{ ref('int_core_titles') }}
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
    case when t.n_students is not null then cast(coalesce(r.n_students, 0) as double) end as numerator,
    cast(t.n_students as double) as denominator,
    case
        when t.n_students is null then 'x'
        when t.n_students = 0 then 'z'
    end as symbol,
    t.submission_id as sources
from totals as t
cross join categories as c
left join by_review as r
    on
        t.district = r.district
        and t.school_year = r.school_year
        and coalesce(t.course, '') = coalesce(r.course, '')
        and t.subgroup = r.subgroup
        and c.category = r.review_status

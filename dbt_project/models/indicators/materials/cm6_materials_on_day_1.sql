-- Grain: schools x course (null: all courses); courses for whole districts only. What is counted are grade-courses of schools.
-- A grade-course with several core titles has its materials when all of them were there; one title that was not settles it.
with school_courses as (

    select
        district,
        school_year,
        school_id,
        course,
        max(submission_id) as submission_id,
        case
            when max(case when not delivered_by_day_1 then 1 else 0 end) = 1 then 0
            when count(*) = count(delivered_by_day_1) then 1
        end as numerator
    from {{ ref('stg_curriculum_adoption') }}
    where role = 'core' and subgroup = 'all'
    group by district, school_year, school_id, course

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        course,
        numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from school_courses
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        cast(null as varchar) as course,
        numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from school_courses

),

totals as (

    {{ total_over_schools('counts', ['course']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    course,
    numerator,
    denominator,
    n_schools,
    symbol,
    sources
from totals
where course is null or {{ is_whole_district() }}

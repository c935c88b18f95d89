-- Grain: schools x course (null: every course that the school teaches); courses for whole districts only.
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

counts as (

    select
        district,
        school_year,
        school_id,
        course,
        submission_id,
        case when n_titles = 1 then 1 else 0 end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from school_courses
    union all
    select
        district,
        school_year,
        school_id,
        cast(null as varchar) as course,
        max(submission_id) as submission_id,
        case when max(n_titles) = 1 then 1 else 0 end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from school_courses
    group by district, school_year, school_id

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

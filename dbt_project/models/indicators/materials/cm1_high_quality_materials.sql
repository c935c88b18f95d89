-- Grain: schools x course (null: all courses) x subgroup x category; courses for whole districts only.
-- A school's course in which any title came without a student count is in no category.
with school_courses as (

    select
        district,
        school_year,
        school_id,
        course,
        subgroup,
        max(submission_id) as submission_id,
        case when count(*) = count(n_students) then sum(n_students) end as n_students,
        max(n_students_symbol) as symbol,
        {% for status in ('meets', 'partially_meets', 'does_not_meet', 'not_reviewed') -%}
        sum(case when review_status = '{{ status }}' then n_students else 0 end) as n_{{ status }}{% if not loop.last %},
        {% endif %}{% endfor %}
    from {{ ref('int_core_titles') }}
    group by district, school_year, school_id, course, subgroup

),

by_category as (
    {% for status in ('meets', 'partially_meets', 'does_not_meet', 'not_reviewed') %}
    select
        district,
        school_year,
        school_id,
        course,
        subgroup,
        submission_id,
        '{{ status }}' as category,
        case when n_students is not null then n_{{ status }} end as numerator,
        n_students as denominator,
        symbol
    from school_courses
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

counts as (

    select
        district,
        school_year,
        school_id,
        course,
        subgroup,
        submission_id,
        category,
        numerator,
        denominator,
        symbol
    from by_category
    union all
    select
        district,
        school_year,
        school_id,
        cast(null as varchar) as course,
        subgroup,
        submission_id,
        category,
        numerator,
        denominator,
        symbol
    from by_category

),

totals as (

    {{ total_over_schools('counts', ['course', 'subgroup', 'category']) }}

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    subgroup,
    course,
    category,
    numerator,
    denominator,
    n_schools,
    symbol,
    sources
from totals
where course is null or {{ is_whole_district() }}

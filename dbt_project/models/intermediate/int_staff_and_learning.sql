-- Grain: district x school_year x school_id x kind of learning, for every school of either extract and every kind that an
-- indicator uses. A kind that the school did not send is zero where the school sent the row ALL, and unknown where it did not.
{%- set counts = [
    'n_teachers',
    'n_teachers_10h',
    'n_teachers_full_cycle',
    'n_k5_teachers_content',
    'n_teachers_sequenced_job_embedded'
] %}
with schools as (

    select
        district,
        school_year,
        school_id
    from {{ ref('stg_math_staff') }}
    union distinct
    select
        district,
        school_year,
        school_id
    from {{ ref('stg_professional_learning') }}

),

kinds as (
    {% for kind in ('ALL', 'curriculum_based', 'learning_community', 'mathematics_immersion', 'diverse_learners') %}
    select '{{ kind }}' as kind
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- Of each extract one submission is in force, and all schools of a value name the same two.
staff_submissions as (

    select
        district,
        school_year,
        max(submission_id) as submission_id
    from {{ ref('stg_math_staff') }}
    group by district, school_year

),

learning_submissions as (

    select
        district,
        school_year,
        max(submission_id) as submission_id
    from {{ ref('stg_professional_learning') }}
    group by district, school_year

)

select
    s.district,
    s.school_year,
    s.school_id,
    k.kind,
    case
        when ls.submission_id is null then ss.submission_id
        when ss.submission_id is null then ls.submission_id
        else ss.submission_id || '; ' || ls.submission_id
    end as submission_id,
    m.n_math_teachers,
    m.n_math_teachers_symbol,
    m.n_k5_teachers,
    m.n_k5_teachers_symbol,
    {% for name in counts -%}
    case when l.school_id is null and a.school_id is not null then 0 else l.{{ name }} end as {{ name }},
    l.{{ name }}_symbol,
    {% endfor -%}
    case when l.school_id is null and a.school_id is not null then 0 else l.contact_hours end as contact_hours
from schools as s
cross join kinds as k
left join staff_submissions as ss on s.district = ss.district and s.school_year = ss.school_year
left join learning_submissions as ls on s.district = ls.district and s.school_year = ls.school_year
left join {{ ref('stg_math_staff') }} as m
    on s.district = m.district and s.school_year = m.school_year and s.school_id = m.school_id
left join {{ ref('stg_professional_learning') }} as l
    on s.district = l.district and s.school_year = l.school_year and s.school_id = l.school_id and k.kind = l.kind
left join {{ ref('stg_professional_learning') }} as a
    on s.district = a.district and s.school_year = a.school_year and s.school_id = a.school_id and a.kind = 'ALL'

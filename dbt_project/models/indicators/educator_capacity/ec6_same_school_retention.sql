-- Grain: schools. Flagged `closures` where a school of the group's last year that took part and had math teachers, or did not say,
-- goes on as no school of this year.
with counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ part_of_whole('n_retained', 'n_last_year') }}
    from {{ ref('stg_math_staff') }}

),

totals as (

    {{ total_over_schools('counts') }}

),

years as (

    select
        district,
        school_year,
        lead(school_year) over (partition by district order by school_year) as next_school_year
    from (
        select distinct
            district,
            school_year
        from {{ ref('int_schools') }}
    ) as held

),

closures as (

    select distinct
        g.district,
        y.next_school_year as school_year,
        g.unit_type,
        g.network_id,
        g.school_level,
        g.school_set
    from {{ ref('int_school_groups') }} as g
    inner join years as y on g.district = y.district and g.school_year = y.school_year
    inner join {{ ref('stg_math_staff') }} as m
        on g.district = m.district and g.school_year = m.school_year and g.school_id = m.school_id
    left join {{ ref('int_school_links') }} as l
        on g.district = l.district and g.school_year = l.school_year and g.school_id = l.school_id
    where
        g.unit_type = 'district'
        and y.next_school_year is not null
        and l.school_id is null
        and coalesce(m.n_math_teachers_symbol, '') <> 'z'
        and coalesce(m.n_math_teachers, 1) > 0

)

select
    t.district,
    t.school_year,
    {% for name in school_groups() -%}
    t.{{ name }},
    {% endfor -%}
    t.numerator,
    t.denominator,
    t.n_schools,
    case when c.district is not null then 'closures' end as flags,
    t.symbol,
    t.sources
from totals as t
left join closures as c
    on
        t.district = c.district
        and t.school_year = c.school_year
        and t.unit_type = c.unit_type
        and t.network_id is not distinct from c.network_id
        and t.school_level is not distinct from c.school_level
        and t.school_set is not distinct from c.school_set

-- Grain: district x school_year x change. What became of schools since the year before: what a value that is not held to the same
-- schools is moved by. `n_schools` and `n_enrolled` are of the year named, but for schools that are gone: of the year before.
with years as (

    select
        district,
        school_year,
        lag(school_year) over (partition by district order by school_year) as earlier_school_year
    from (
        select distinct
            district,
            school_year
        from {{ ref('int_schools') }}
    ) as held

),

arrivals as (

    select
        n.district,
        n.school_year,
        n.school_id,
        n.n_enrolled,
        n.in_scope,
        count(l.school_id) as n_earlier,
        max(case when l.how = 'same_id' then 1 else 0 end) as has_same_id,
        max(case when l.school_id is not null and e.in_scope then 1 else 0 end) as was_in_scope
    from {{ ref('int_schools') }} as n
    inner join years as y on n.district = y.district and n.school_year = y.school_year
    left join {{ ref('int_school_links') }} as l
        on n.district = l.district and y.earlier_school_year = l.school_year and n.school_id = l.next_school_id
    left join {{ ref('int_schools') }} as e
        on l.district = e.district and l.school_year = e.school_year and l.school_id = e.school_id
    where y.earlier_school_year is not null
    group by n.district, n.school_year, n.school_id, n.n_enrolled, n.in_scope

),

changes as (

    select
        district,
        school_year,
        school_id,
        n_enrolled,
        case
            when n_earlier = 0 then 'opened'
            when n_earlier > 1 then 'merged'
            when has_same_id = 0 then 'id_changed'
            else 'same'
        end as change
    from arrivals
    union all
    select
        district,
        school_year,
        school_id,
        n_enrolled,
        case when in_scope then 'came_into_scope' else 'left_scope' end as change
    from arrivals
    where n_earlier > 0 and in_scope <> (was_in_scope = 1)
    union all
    select
        s.district,
        y.school_year,
        s.school_id,
        s.n_enrolled,
        'closed' as change
    from {{ ref('int_schools') }} as s
    inner join years as y on s.district = y.district and s.school_year = y.earlier_school_year
    left join {{ ref('int_school_links') }} as l
        on s.district = l.district and s.school_year = l.school_year and s.school_id = l.school_id
    where l.school_id is null

)

select
    district,
    school_year,
    change,
    cast(count(*) as bigint) as n_schools,
    cast(sum(n_enrolled) as bigint) as n_enrolled
from changes
group by district, school_year, change
order by district, school_year, change

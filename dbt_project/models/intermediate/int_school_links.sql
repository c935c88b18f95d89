-- Grain: district x school_year x school_id: the school of the following year's directory that this one goes on as.
-- In this order: the same id; a school that names it as predecessor; another id with the same NCES id.
-- A school that goes on as nothing has no row; several schools may go on as one (a merger).
with years as (

    select
        district,
        school_year,
        lead(school_year) over (partition by district order by school_year) as next_school_year
    from (
        select distinct
            district,
            school_year
        from {{ ref('stg_school_directory') }}
    ) as held

),

predecessors as (

    select
        district,
        school_year,
        school_id,
        trim(predecessor) as predecessor_id
    from (
        select
            district,
            school_year,
            school_id,
            {{ split_to_rows('predecessor_school_ids', ';') }} as predecessor
        from {{ ref('stg_school_directory') }}
        where predecessor_school_ids is not null
    ) as named

),

candidates as (

    select
        s.district,
        s.school_year,
        s.school_id,
        y.next_school_year,
        n.school_id as next_school_id,
        'same_id' as how,
        1 as priority
    from {{ ref('stg_school_directory') }} as s
    inner join years as y on s.district = y.district and s.school_year = y.school_year
    inner join {{ ref('stg_school_directory') }} as n
        on s.district = n.district and y.next_school_year = n.school_year and s.school_id = n.school_id
    union all
    select
        s.district,
        s.school_year,
        s.school_id,
        y.next_school_year,
        p.school_id as next_school_id,
        'predecessor' as how,
        2 as priority
    from {{ ref('stg_school_directory') }} as s
    inner join years as y on s.district = y.district and s.school_year = y.school_year
    inner join predecessors as p
        on s.district = p.district and y.next_school_year = p.school_year and s.school_id = p.predecessor_id
    union all
    select
        s.district,
        s.school_year,
        s.school_id,
        y.next_school_year,
        n.school_id as next_school_id,
        'same_nces_id' as how,
        3 as priority
    from {{ ref('stg_school_directory') }} as s
    inner join years as y on s.district = y.district and s.school_year = y.school_year
    inner join {{ ref('stg_school_directory') }} as n
        on s.district = n.district and y.next_school_year = n.school_year and s.nces_school_id = n.nces_school_id

),

ordered as (

    select
        district,
        school_year,
        school_id,
        next_school_year,
        next_school_id,
        how,
        row_number() over (partition by district, school_year, school_id order by priority, next_school_id) as place
    from candidates

)

select
    district,
    school_year,
    school_id,
    next_school_year,
    next_school_id,
    how
from ordered
where place = 1

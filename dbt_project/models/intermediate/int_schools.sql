-- Grain: district x school_year x school_id, as in the directory in force. `lineage_id` is shared by all rows that end in the same
-- school of the district's last year, through id changes and mergers; `is_continuing` says that the lineage has a school in every
-- year that the district's directory covers, two years at least.
with recursive lineages as (

    select
        s.district,
        s.school_year,
        s.school_id,
        s.school_year || '/' || s.school_id as lineage_id,
        s.school_year as last_school_year
    from {{ ref('stg_school_directory') }} as s
    left join {{ ref('int_school_links') }} as l
        on s.district = l.district and s.school_year = l.school_year and s.school_id = l.school_id
    where l.school_id is null
    union all
    select
        l.district,
        l.school_year,
        l.school_id,
        e.lineage_id,
        e.last_school_year
    from {{ ref('int_school_links') }} as l
    inner join lineages as e
        on l.district = e.district and l.next_school_year = e.school_year and l.next_school_id = e.school_id

),

spans as (

    select
        district,
        lineage_id,
        min(school_year) as first_school_year,
        max(last_school_year) as last_school_year,
        count(distinct school_year) as n_years
    from lineages
    group by district, lineage_id

),

covered as (

    select
        district,
        max(school_year) as last_school_year,
        count(distinct school_year) as n_years
    from {{ ref('stg_school_directory') }}
    group by district

)

select
    s.district,
    s.school_year,
    s.school_id,
    s.submission_id,
    s.network_id,
    s.school_level,
    s.is_charter,
    s.in_scope,
    s.n_enrolled,
    s.n_enrolled_symbol,
    s.n_enrolled_in_scope,
    s.n_enrolled_in_scope_symbol,
    l.lineage_id,
    p.first_school_year,
    p.last_school_year,
    c.n_years > 1 and p.n_years = c.n_years as is_continuing
from {{ ref('stg_school_directory') }} as s
inner join lineages as l on s.district = l.district and s.school_year = l.school_year and s.school_id = l.school_id
inner join spans as p on l.district = p.district and l.lineage_id = p.lineage_id
inner join covered as c on s.district = c.district

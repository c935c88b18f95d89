-- Grain: district x school_year x school_id x rating_type, for district years with ratings: every school of the directory, rated or
-- not, and rated schools that the directory lacks. `is_reached` is null where no school of the district has a rating of that type, and
-- where the directory lacks the school, because nobody knows then whether it takes part.
with delivered as (

    select
        district,
        school_year,
        max(submission_id) as submission_id,
        max(case when rating_type = 'self' then 1 else 0 end) as has_self,
        max(case when rating_type = 'verified' then 1 else 0 end) as has_verified
    from {{ ref('stg_implementation_stage') }}
    group by district, school_year

),

types as (

    select
        district,
        school_year,
        submission_id,
        'self' as rating_type,
        has_self as is_delivered
    from delivered
    union all
    select
        district,
        school_year,
        submission_id,
        'verified' as rating_type,
        has_verified as is_delivered
    from delivered

)

select
    s.district,
    s.school_year,
    s.school_id,
    t.rating_type,
    t.submission_id,
    s.lineage_id,
    s.n_enrolled_in_scope,
    s.n_enrolled_in_scope_symbol,
    c.stage,
    c.rating_date,
    c.start_date,
    case
        when c.stage in ('initial', 'full') then 1
        when t.is_delivered = 1 then 0
    end as is_reached
from {{ ref('int_schools') }} as s
inner join types as t on s.district = t.district and s.school_year = t.school_year
left join {{ ref('int_current_stage') }} as c
    on
        s.district = c.district
        and s.school_year = c.school_year
        and s.school_id = c.school_id
        and t.rating_type = c.rating_type
union all
select
    c.district,
    c.school_year,
    c.school_id,
    c.rating_type,
    c.submission_id,
    cast(null as varchar) as lineage_id,
    cast(null as bigint) as n_enrolled_in_scope,
    cast(null as varchar) as n_enrolled_in_scope_symbol,
    c.stage,
    c.rating_date,
    c.start_date,
    cast(null as integer) as is_reached
from {{ ref('int_current_stage') }} as c
left join {{ ref('int_schools') }} as s
    on c.district = s.district and c.school_year = s.school_year and c.school_id = s.school_id
where s.school_id is null

-- Grain: district x school_year x school_id x group. Every group of schools that an indicator has values for; a school that takes
-- part is in up to five: its district, its network, its level, the schools followed through all years, and itself.
with schools as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        network_id,
        school_level,
        is_continuing
    from {{ ref('int_schools') }}
    where in_scope

)

select
    district,
    school_year,
    school_id,
    submission_id,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as network_id,
    cast(null as varchar) as school_level,
    cast(null as varchar) as school_set
from schools
union all
select
    district,
    school_year,
    school_id,
    submission_id,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    network_id,
    cast(null as varchar) as school_level,
    cast(null as varchar) as school_set
from schools
where network_id is not null
union all
select
    district,
    school_year,
    school_id,
    submission_id,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as network_id,
    school_level,
    cast(null as varchar) as school_set
from schools
where school_level is not null
union all
select
    district,
    school_year,
    school_id,
    submission_id,
    'district' as unit_type,
    cast(null as varchar) as unit_id,
    cast(null as varchar) as network_id,
    cast(null as varchar) as school_level,
    'continuing' as school_set
from schools
where is_continuing
union all
select
    district,
    school_year,
    school_id,
    submission_id,
    'school' as unit_type,
    school_id as unit_id,
    cast(null as varchar) as network_id,
    cast(null as varchar) as school_level,
    cast(null as varchar) as school_set
from schools

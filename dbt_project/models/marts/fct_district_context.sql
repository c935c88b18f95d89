-- Grain: district x school_year x school_level (null: all). What kind of district stands behind its numbers: its whole directory, in scope
-- or not. Student groups are counted for the whole district only, and only where every school said how many it has.
select
    district,
    school_year,
    cast(null as varchar) as school_level,
    cast(count(*) as bigint) as n_schools,
    cast(sum(case when is_charter then 1 else 0 end) as bigint) as n_charter_schools,
    cast(sum(case when in_scope then 1 else 0 end) as bigint) as n_schools_in_scope,
    case when count(*) = count(n_enrolled) then cast(sum(n_enrolled) as bigint) end as n_enrolled,
    case when count(*) = count(n_low_income) then cast(sum(n_low_income) as bigint) end as n_low_income,
    case when count(*) = count(n_english_learner) then cast(sum(n_english_learner) as bigint) end as n_english_learner,
    case when count(*) = count(n_disability) then cast(sum(n_disability) as bigint) end as n_disability
from {{ ref('stg_school_directory') }}
group by district, school_year
union all
select
    district,
    school_year,
    school_level,
    cast(count(*) as bigint) as n_schools,
    cast(sum(case when is_charter then 1 else 0 end) as bigint) as n_charter_schools,
    cast(sum(case when in_scope then 1 else 0 end) as bigint) as n_schools_in_scope,
    cast(null as bigint) as n_enrolled,
    cast(null as bigint) as n_low_income,
    cast(null as bigint) as n_english_learner,
    cast(null as bigint) as n_disability
from {{ ref('stg_school_directory') }}
where school_level is not null
group by district, school_year, school_level
order by district, school_year, school_level

-- Grain: district x school_year x grade x subgroup x instrument x administration. Counts of whole districts at the levels of their own
-- test, with which estimates are made. `share_with_levels`: of the students tested, those whose levels are known.
{{ config(materialized='external', format='parquet') }}

select
    l.district,
    d.state,
    l.school_year,
    l.grade,
    l.subgroup,
    c.dimension,
    c.gap_reference,
    l.instrument,
    l.administration,
    l.sources,
    l.n_levels,
    l.n_tested,
    coalesce(l.n_level_1, 0) + coalesce(l.n_level_2, 0) + coalesce(l.n_level_3, 0)
    + coalesce(l.n_level_4, 0) + coalesce(l.n_level_5, 0) + coalesce(l.n_level_6, 0) as n_in_levels,
    l.n_level_1,
    l.n_level_2,
    l.n_level_3,
    l.n_level_4,
    l.n_level_5,
    l.n_level_6
from {{ ref('int_district_levels') }} as l
inner join {{ ref('stg_districts') }} as d on l.district = d.district
inner join {{ ref('stg_subgroups') }} as c on l.subgroup = c.subgroup
where {{ is_whole_district() }} and l.n_units_with_levels > 0

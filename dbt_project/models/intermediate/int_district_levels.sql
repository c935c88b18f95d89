-- Grain: schools x grade x subgroup x instrument x administration.
-- The whole district: its own row where it sent one, else its schools added up. Networks, levels and schools followed through all years:
-- their schools added up, where schools were sent. Single schools: all students over all single grades (grade null), and the pooled
-- grades that they sent. Shares at levels use only units that reported every level of the test; participation only units that reported
-- both counts.
with preferred as (

    select
        a.district,
        a.school_year,
        a.submission_id,
        a.unit_type,
        a.unit_id,
        a.grade,
        a.subgroup,
        a.instrument,
        a.administration,
        a.n_enrolled,
        a.n_tested,
        a.n_level_1,
        a.n_level_2,
        a.n_level_3,
        a.n_level_4,
        a.n_level_5,
        a.n_level_6,
        i.n_levels,
        i.proficient_level,
        {{ preferred_unit_type([
            'a.district', 'a.school_year', 'a.grade', 'a.subgroup', 'a.instrument', 'a.administration'
        ]) }} as preferred_unit_type,
        case
            when
                a.n_level_1 is not null and a.n_level_2 is not null
                and (a.n_level_3 is not null or i.n_levels < 3)
                and (a.n_level_4 is not null or i.n_levels < 4)
                and (a.n_level_5 is not null or i.n_levels < 5)
                and (a.n_level_6 is not null or i.n_levels < 6)
                then 1
            else 0
        end as has_levels,
        case
            when 'c' in (a.n_level_1_symbol, a.n_level_2_symbol, a.n_level_3_symbol, a.n_level_4_symbol) then 1
            else 0
        end as is_confidential,
        case when a.n_enrolled is not null and a.n_tested is not null then 1 else 0 end as has_participation
    from {{ ref('stg_assessment_levels') }} as a
    inner join {{ ref('stg_instruments') }} as i on a.instrument = i.instrument

),

grouped as (

    select
        p.*,
        'district' as group_type,
        cast(null as varchar) as group_id,
        p.grade as group_grade,
        cast(null as varchar) as network_id,
        cast(null as varchar) as school_level,
        cast(null as varchar) as school_set,
        cast(null as varchar) as directory_submission_id
    from preferred as p
    where p.unit_type = p.preferred_unit_type
    union all
    select
        p.*,
        g.unit_type as group_type,
        g.unit_id as group_id,
        case when g.unit_type = 'district' or position('_' in p.grade) > 0 then p.grade end as group_grade,
        g.network_id,
        g.school_level,
        g.school_set,
        g.submission_id as directory_submission_id
    from preferred as p
    inner join {{ ref('int_school_groups') }} as g
        on p.district = g.district and p.school_year = g.school_year and p.unit_id = g.school_id
    where
        p.unit_type = 'school'
        and (
            (g.unit_type = 'school' and p.subgroup = 'all')
            or g.network_id is not null
            or g.school_level is not null
            or g.school_set is not null
        )

)

select
    district,
    school_year,
    group_type as unit_type,
    group_id as unit_id,
    network_id,
    school_level,
    school_set,
    group_grade as grade,
    subgroup,
    instrument,
    administration,
    {{ joined_sources('max(submission_id)', 'max(directory_submission_id)') }} as sources,
    max(n_levels) as n_levels,
    max(proficient_level) as proficient_level,
    count(*) as n_units,
    sum(has_levels) as n_units_with_levels,
    sum(has_participation) as n_units_with_participation,
    sum(is_confidential) as n_units_confidential,
    sum(n_tested) as n_tested,
    sum(case when has_participation = 1 then n_enrolled end) as n_enrolled,
    sum(case when has_participation = 1 then n_tested end) as n_tested_of_enrolled,
    sum(case when has_levels = 1 then n_level_1 end) as n_level_1,
    sum(case when has_levels = 1 then n_level_2 end) as n_level_2,
    sum(case when has_levels = 1 then n_level_3 end) as n_level_3,
    sum(case when has_levels = 1 then n_level_4 end) as n_level_4,
    sum(case when has_levels = 1 then n_level_5 end) as n_level_5,
    sum(case when has_levels = 1 then n_level_6 end) as n_level_6
from grouped
group by
    district, school_year, group_type, group_id, network_id, school_level, school_set, group_grade, subgroup, instrument, administration

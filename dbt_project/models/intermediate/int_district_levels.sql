-- Grain: district x school year x grade x subgroup x instrument x administration.
-- A district's own row is used where it sent one, else its schools are added up. Shares at levels use only units that
-- reported every level of the test; participation uses only units that reported both counts.
with units as (

    select
        a.district,
        a.school_year,
        a.submission_id,
        a.unit_type,
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

)

select
    district,
    school_year,
    grade,
    subgroup,
    instrument,
    administration,
    max(submission_id) as submission_id,
    max(n_levels) as n_levels,
    max(proficient_level) as proficient_level,
    count(*) as n_units,
    sum(has_levels) as n_units_with_levels,
    sum(has_participation) as n_units_with_participation,
    sum(is_confidential) as n_units_confidential,
    sum(case when has_participation = 1 then n_enrolled end) as n_enrolled,
    sum(case when has_participation = 1 then n_tested end) as n_tested_of_enrolled,
    sum(case when has_levels = 1 then n_level_1 end) as n_level_1,
    sum(case when has_levels = 1 then n_level_2 end) as n_level_2,
    sum(case when has_levels = 1 then n_level_3 end) as n_level_3,
    sum(case when has_levels = 1 then n_level_4 end) as n_level_4,
    sum(case when has_levels = 1 then n_level_5 end) as n_level_5,
    sum(case when has_levels = 1 then n_level_6 end) as n_level_6
from units
where unit_type = preferred_unit_type
group by district, school_year, grade, subgroup, instrument, administration

-- Grain: district x school_year x grade x subgroup x instrument x administration. Whom a test's results leave out: participation of the
-- group, of all students of the grade, and of the state; whether students in Algebra I sit another test; and how many sat the test two
-- grades earlier, which shows it in the data where nobody says how many are enrolled.
with tested as (

    select
        l.district,
        d.state,
        l.school_year,
        l.grade,
        l.subgroup,
        l.instrument,
        l.administration,
        l.n_tested,
        -- What a few schools report is not the district's participation.
        case
            when l.n_enrolled > 0 and l.n_units_with_participation >= {{ threshold('minimum_coverage') }} * l.n_units
                then cast(l.n_tested_of_enrolled as double) / l.n_enrolled
        end as participation,
        coalesce(
            i.course_test_replaces = 'algebra_1_in_grade_8' and r.low_place <= 8 and r.high_place >= 8, false
        ) as has_course_test
    from {{ ref('int_district_levels') }} as l
    inner join {{ ref('stg_districts') }} as d on l.district = d.district
    inner join {{ ref('stg_instruments') }} as i on l.instrument = i.instrument
    inner join {{ ref('stg_grades') }} as r on l.grade = r.grade
    where {{ is_whole_district() }}

)

select
    t.district,
    t.school_year,
    t.grade,
    t.subgroup,
    t.instrument,
    t.administration,
    t.n_tested,
    t.participation,
    t.has_course_test,
    a.participation as participation_of_all,
    case when s.n_enrolled > 0 then cast(s.n_tested as double) / s.n_enrolled end as state_participation,
    earlier.n_tested as n_tested_in_grade_6
from tested as t
left join tested as a
    on
        t.district = a.district
        and t.school_year = a.school_year
        and t.grade = a.grade
        and t.instrument = a.instrument
        and t.administration = a.administration
        and a.subgroup = 'all'
left join tested as earlier
    on
        t.district = earlier.district
        and t.school_year = earlier.school_year
        and t.subgroup = earlier.subgroup
        and t.instrument = earlier.instrument
        and t.administration = earlier.administration
        and t.grade = '8'
        and earlier.grade = '6'
left join {{ ref('int_state_levels') }} as s
    on
        t.state = s.state
        and t.school_year = s.school_year
        and t.grade = s.grade
        and t.instrument = s.instrument
        and t.administration = s.administration

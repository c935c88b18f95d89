-- Grain: district x school_year x grade. Where a linked mean and the district's own NAEP mean of the same grade and year exist, without the
-- error of linking: what it leaves unexplained is judged here.
with linked as (

    select
        *,
        row_number() over (
            partition by district, school_year, grade
            order by case administration when 'spring' then 0 when 'full_year' then 1 else 2 end, administration, instrument
        ) as place
    from {{ ref('stg_positions') }}
    where subgroup = 'all' and linked_mean is not null

)

select
    p.district,
    p.state,
    p.school_year,
    p.grade,
    p.instrument,
    p.administration,
    p.n,
    p.linked_mean,
    p.linked_variance,
    n.mean as naep_mean,
    n.se as naep_se,
    p.linked_mean - n.mean as difference,
    c.participation,
    c.has_course_test,
    case
        when c.has_course_test then 'course_test'
        when c.participation < {{ threshold('participation_low') }} or c.participation > {{ threshold('participation_high') }}
            then 'participation_outside'
        when
            c.state_participation < {{ threshold('participation_low') }}
            or c.state_participation > {{ threshold('participation_high') }}
            then 'state_participation_outside'
        when c.participation is null or c.state_participation is null then 'participation_unknown'
        else 'covered'
    end as coverage
from linked as p
inner join {{ ref('stg_naep_results') }} as n
    on p.district = n.unit_id and p.school_year = n.school_year and p.grade = n.grade and n.unit_type = 'district'
inner join {{ ref('int_test_coverage') }} as c
    on
        p.district = c.district
        and p.school_year = c.school_year
        and p.grade = c.grade
        and p.subgroup = c.subgroup
        and p.instrument = c.instrument
        and p.administration = c.administration
-- NAEP is taken in winter: the test of the spring stands nearest.
where p.place = 1

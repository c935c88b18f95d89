-- Grain: district x school_year. What has to be the same on both sides before the numbers of some indicators may be set beside each other;
-- null where nobody said, or where a district's own schools say different things.
with charters as (

    select
        district,
        school_year,
        case
            when sum(case when is_charter and in_scope then 1 else 0 end) = 0 then 'schools run by the district'
            when sum(case when is_charter and not in_scope then 1 else 0 end) = 0 then 'charter schools too'
            else 'some of the charter schools'
        end as charter_scope
    from {{ ref('stg_school_directory') }}
    group by district, school_year

),

pass_rules as (

    select
        district,
        school_year,
        case when min(pass_rule) = max(pass_rule) then min(pass_rule) end as pass_rule
    from {{ ref('stg_algebra_outcomes') }}
    group by district, school_year

),

tools as (

    select
        district,
        school_year,
        case when min(walkthrough_tool) = max(walkthrough_tool) then min(walkthrough_tool) end as walkthrough_tool
    from {{ ref('stg_school_leaders') }}
    group by district, school_year

),

places as (

    select
        district,
        school_year
    from charters
    union
    select
        district,
        school_year
    from pass_rules
    union
    select
        district,
        school_year
    from tools

)

select
    p.district,
    p.school_year,
    c.charter_scope,
    -- Some of one district's are not some of another's.
    case when c.charter_scope = 'some of the charter schools' then ' of ' || d.label end as whose_charters,
    r.pass_rule,
    t.walkthrough_tool
from places as p
inner join {{ ref('stg_districts') }} as d on p.district = d.district
left join charters as c on p.district = c.district and p.school_year = c.school_year
left join pass_rules as r on p.district = r.district and p.school_year = r.school_year
left join tools as t on p.district = t.district and p.school_year = t.school_year

-- Grain: schools. One semester below the threshold is enough to know that a school does not reach it in both. Flagged `tools_differ`
-- where the schools of a group that did walkthroughs name more than one tool, or version of it.
with schools as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        walkthrough_tool,
        case
            when
                n_walkthroughs_fall < {{ threshold('walkthroughs_a_semester') }}
                or n_walkthroughs_spring < {{ threshold('walkthroughs_a_semester') }}
                then 0
            when n_walkthroughs_fall is null or n_walkthroughs_spring is null or walkthrough_tool is null then null
            else 1
        end as does_enough,
        coalesce(n_walkthroughs_fall_symbol, n_walkthroughs_spring_symbol, 'x') as why_unknown
    from {{ ref('stg_school_leaders') }}

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        does_enough as numerator,
        1 as denominator,
        case when does_enough is null then why_unknown end as symbol
    from schools

),

totals as (

    {{ total_over_schools('counts') }}

),

tools as (

    select
        district,
        school_year,
        {{ school_groups() | join(',\n        ') }},
        count(distinct walkthrough_tool) as n_tools
    from ({{ in_school_groups('schools', ['walkthrough_tool']) }}) as grouped
    group by district, school_year, {{ school_groups() | join(', ') }}

)

select
    t.district,
    t.school_year,
    {% for name in school_groups() -%}
    t.{{ name }},
    {% endfor -%}
    t.numerator,
    t.denominator,
    t.n_schools,
    case when n.n_tools > 1 then 'tools_differ' end as flags,
    t.symbol,
    t.sources
from totals as t
left join tools as n
    on
        t.district = n.district
        and t.school_year = n.school_year
        {% for name in school_groups() -%}
        and t.{{ name }} is not distinct from n.{{ name }}
        {% endfor %}

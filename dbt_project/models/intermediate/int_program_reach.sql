-- Grain: district x school_year x program_id x cohort (null: all cohorts together). A total is there where every cohort to which the
-- number applies has sent it; money and hours have no symbol and apply where the people do that they are of.
{%- set counts = [
    'n_leaders_trained', 'n_teachers_supported', 'n_students_reached', 'n_mathematician_sessions', 'n_study_group_sessions',
    'n_participants', 'n_now_facilitating',
] -%}
{%- set amounts = {'training_cost_usd': 'n_leaders_trained_symbol', 'immersion_hours': 'n_participants_symbol'} %}
with cohorts as (

    select
        district,
        school_year,
        submission_id,
        program_id,
        cohort,
        {% for name in counts -%}
        cast({{ name }} as double) as {{ name }},
        {{ name }}_symbol,
        {% endfor -%}
        {% for name, symbol in amounts.items() -%}
        {{ name }},
        case when {{ name }} is null then coalesce({{ symbol }}, 'x') end as {{ name }}_symbol{% if not loop.last %},
        {% endif %}{% endfor %}
    from {{ ref('stg_program_reach') }}

)

select *
from cohorts
union all
select
    district,
    school_year,
    max(submission_id) as submission_id,
    program_id,
    cast(null as varchar) as cohort,
    {% for name in counts + amounts.keys() | list -%}
    case
        when sum(case when {{ name }} is null and {{ name }}_symbol <> 'z' then 1 else 0 end) = 0 then sum({{ name }})
    end as {{ name }},
    case
        when sum(case when {{ name }}_symbol = 'c' then 1 else 0 end) > 0 then 'c'
        when sum(case when {{ name }} is null and {{ name }}_symbol <> 'z' then 1 else 0 end) > 0 then 'x'
        when count({{ name }}) = 0 then 'z'
    end as {{ name }}_symbol{% if not loop.last %},
    {% endif %}{% endfor %}
from cohorts
group by district, school_year, program_id

-- Grain: indicator x district x school year x subgroup x shared breakdowns x instrument x administration. Values of whole districts (by level
-- of school too) with everything that decides whether they may be set beside another. Values of networks and schools are not compared.
with naep_means as (

    select distinct
        unit_id as district,
        school_year,
        grade
    from {{ ref('stg_naep_results') }}
    where unit_type = 'district'

),

told as (

    select
        v.*,
        i.basis,
        i.is_describe_only,
        i.interval is null as is_census,
        i.must_match,
        f.value as response_floor,
        d.state,
        v.indicator_id || '|' || {{ joined_key(shared_breakdowns()) }} as breakdown_key,
        cast(cast(substr(v.school_year, 1, 4) as integer) - 1 as varchar) || '-' || substr(v.school_year, 3, 2) as year_before
    from {{ ref('fct_indicator_values') }} as v
    inner join {{ ref('dim_indicators') }} as i on v.indicator_id = i.indicator_id
    inner join {{ ref('stg_districts') }} as d on v.district = d.district
    inner join {{ ref('thresholds') }} as f on i.response_floor = f.threshold_id
    where v.unit_type = 'district' and v.network_id is null

)

select
    v.indicator_id,
    v.breakdown_key,
    v.basis,
    v.is_describe_only,
    v.is_census,
    v.response_floor,
    v.must_match,
    v.district,
    v.state,
    v.school_year,
    v.subgroup,
    {% for breakdown in shared_breakdowns() -%}
    v.{{ breakdown }},
    {% endfor -%}
    v.unit,
    v.instrument,
    v.administration,
    v.value,
    v.lower,
    v.upper,
    v.symbol,
    v.flags,
    v.definition_version,
    v.response_rate,
    case when position('charter_scope' in v.must_match) > 0 then coalesce(m.charter_scope, 'unknown') || coalesce(m.whose_charters, '') || '; ' else '' end
    || case when position('pass_rule' in v.must_match) > 0 then coalesce(m.pass_rule, 'unknown') || '; ' else '' end
    || case when position('walkthrough_tool' in v.must_match) > 0 then coalesce(m.walkthrough_tool, 'unknown') || '; ' else '' end
    || case when position('state' in v.must_match) > 0 then 'rules of ' || v.state || '; ' else '' end
    || case when position('flags' in v.must_match) > 0 then coalesce(v.flags, 'unknown') || '; ' else '' end
        as matching,
    (
        (position('charter_scope' in v.must_match) > 0 and m.charter_scope is null)
        or (position('pass_rule' in v.must_match) > 0 and m.pass_rule is null)
        or (position('walkthrough_tool' in v.must_match) > 0 and m.walkthrough_tool is null)
        or (position('flags' in v.must_match) > 0 and coalesce(v.flags, 'definition_varies') = 'definition_varies')
    ) is false as is_matching_known,
    t.test,
    t.cut_version,
    t.scale_version,
    t.mode,
    coalesce(c.has_course_test, false) as has_course_test,
    -- A gap rests on both of its groups: the one whose participation is further from all.
    case
        when v.basis <> 'scale_free' or g.gap_reference is null then c.participation
        when c.participation is null or r.participation is null then null
        when abs(c.participation - 1) >= abs(r.participation - 1) then c.participation
        else r.participation
    end as participation,
    c.participation_of_all,
    c.state_participation,
    c.n_tested,
    c.n_tested_in_grade_6,
    n.district is not null as has_naep_mean,
    case
        when v.symbol = 'c' then 'confidential'
        when v.basis = 'linked' and {{ has_flag('v.flags', ['no_state_distribution', 'no_naep_anchor', 'grade_not_linked']) }}
            then 'not_linked'
        when v.symbol is not null or v.value is null then 'missing'
        else 'there'
    end as state_of_value
from told as v
left join {{ ref('int_comparison_facts') }} as m on v.district = m.district and v.school_year = m.school_year
-- A result without a test of its own (readiness by the grade before) rests on the state's test of the year before.
left join {{ ref('stg_instruments') }} as t
    on
        v.instrument = t.instrument
        or (
            v.instrument is null
            and v.basis = 'own_test'
            and v.state = t.state
            and t.subject = 'mathematics'
            and v.year_before >= t.first_school_year
            and v.year_before <= coalesce(t.last_school_year, '9999-99')
        )
left join {{ ref('int_test_coverage') }} as c
    on
        v.district = c.district
        and v.school_year = c.school_year
        and v.grade = c.grade
        and v.subgroup = c.subgroup
        and v.instrument = c.instrument
        and v.administration = c.administration
left join {{ ref('stg_subgroups') }} as g on v.subgroup = g.subgroup
left join {{ ref('int_test_coverage') }} as r
    on
        v.district = r.district
        and v.school_year = r.school_year
        and v.grade = r.grade
        and g.gap_reference = r.subgroup
        and v.instrument = r.instrument
        and v.administration = r.administration
left join naep_means as n
    on v.district = n.district and v.school_year = n.school_year and v.grade = n.grade and v.subgroup = 'all'

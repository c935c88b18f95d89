-- Grain: comparison x indicator x breakdowns x first side x second side. Every pair of values that a reader may set beside each other: two
-- districts in one year, one district in two years, a group and its reference group of one district and year, a district and its
-- own state. A side that nobody sent is there as a missing one. Where both sides have a common instrument only that is compared.
{%- set shared = shared_breakdowns() %}
{%- set sides = side_columns() %}
{%- set of_indicator = ['basis', 'is_describe_only', 'is_census', 'response_floor', 'must_match', 'unit'] %}
with told as (

    select * from {{ ref('int_comparison_values') }}

),

years_sent as (

    select distinct
        breakdown_key,
        subgroup,
        school_year
    from told

),

districts_that_sent as (

    select distinct
        breakdown_key,
        subgroup,
        district,
        state
    from told

),

places as (

    select
        district,
        state
    from {{ ref('stg_districts') }}

),

wanted as (

    select distinct
        'districts' as comparison,
        t.breakdown_key,
        t.subgroup,
        t.subgroup as other_subgroup,
        t.school_year,
        t.school_year as other_school_year,
        a.district,
        a.state,
        b.district as other_district,
        b.state as other_state
    from told as t
    cross join places as a
    inner join places as b on a.district < b.district
    union all
    select distinct
        'years' as comparison,
        t.breakdown_key,
        t.subgroup,
        t.subgroup as other_subgroup,
        t.school_year,
        u.school_year as other_school_year,
        a.district,
        a.state,
        a.district as other_district,
        a.state as other_state
    from years_sent as t
    inner join years_sent as u
        on t.breakdown_key = u.breakdown_key and t.subgroup is not distinct from u.subgroup and t.school_year > u.school_year
    inner join districts_that_sent as a
        on t.breakdown_key = a.breakdown_key and t.subgroup is not distinct from a.subgroup
    union all
    select distinct
        'subgroups' as comparison,
        t.breakdown_key,
        t.subgroup,
        c.gap_reference as other_subgroup,
        t.school_year,
        t.school_year as other_school_year,
        t.district,
        t.state,
        t.district as other_district,
        t.state as other_state
    from told as t
    inner join {{ ref('stg_subgroups') }} as c on t.subgroup = c.subgroup
    -- Where a value is itself a gap, or a gap is V's to show (in the state's or NAEP's units), groups are not set beside each other.
    where
        c.gap_reference is not null
        and t.unit not in ('SD', 'difference_of_shares')
        and t.basis not in ('state_relative', 'linked', 'naep')
    union all
    select distinct
        'state' as comparison,
        t.breakdown_key,
        t.subgroup,
        t.subgroup as other_subgroup,
        t.school_year,
        t.school_year as other_school_year,
        t.district,
        t.state,
        cast(null as varchar) as other_district,
        t.state as other_state
    from told as t
    where t.basis = 'state_relative'

),

indicators as (

    select distinct
        breakdown_key,
        indicator_id,
        {{ (shared + of_indicator) | join(',\n        ') }}
    from told

),

paired as (

    select
        w.*,
        {% for column in sides -%}
        a.{{ column }},
        {% endfor -%}
        {% for column in sides -%}
        b.{{ column }} as other_{{ column }},
        {% endfor -%}
        case
            when {{ differs('a.administration', 'b.administration') }} then 0
            when {{ differs('a.instrument', 'b.instrument') }} then 1
            else 2
        end as likeness
    from wanted as w
    left join told as a
        on
            w.breakdown_key = a.breakdown_key
            and w.subgroup is not distinct from a.subgroup
            and w.district = a.district
            and w.school_year = a.school_year
    left join told as b
        on
            w.breakdown_key = b.breakdown_key
            and w.other_subgroup is not distinct from b.subgroup
            and w.other_district = b.district
            and w.other_school_year = b.school_year
    where
        w.comparison <> 'state'
        -- Two years in which a district sent nothing of the kind are no pair of its own.
        and (w.comparison <> 'years' or a.district is not null or b.district is not null)
    union all
    select
        w.*,
        {% for column in sides -%}
        a.{{ column }},
        {% endfor -%}
        {% for column in sides -%}
        {% if column in ['value', 'lower', 'upper'] -%}
        case when a.value is not null then 0.0e0 end as other_{{ column }},
        {% else -%}
        a.{{ column }} as other_{{ column }},
        {% endif -%}
        {% endfor -%}
        2 as likeness
    from wanted as w
    inner join told as a
        on
            w.breakdown_key = a.breakdown_key
            and w.subgroup is not distinct from a.subgroup
            and w.district = a.district
            and w.school_year = a.school_year
    where w.comparison = 'state'

),

best as (

    select
        *,
        max(likeness) over (
            partition by
                comparison, breakdown_key, subgroup, other_subgroup, district, other_district, school_year, other_school_year
        ) as best_likeness
    from paired

)

select
    p.comparison,
    i.indicator_id,
    p.district,
    p.other_district,
    p.state,
    p.other_state,
    p.school_year,
    p.other_school_year,
    p.subgroup,
    p.other_subgroup,
    {% for breakdown in shared -%}
    i.{{ breakdown }},
    {% endfor -%}
    {% for column in of_indicator -%}
    i.{{ column }},
    {% endfor -%}
    {% for column in sides -%}
    p.{{ column }},
    p.other_{{ column }},
    {% endfor -%}
    d.label as district_label,
    o.label as other_district_label,
    p.breakdown_key,
    low.value as participation_low,
    high.value as participation_high,
    spoken.value as minimum_told
from best as p
inner join indicators as i on p.breakdown_key = i.breakdown_key
left join {{ ref('stg_districts') }} as d on p.district = d.district
left join {{ ref('stg_districts') }} as o on p.other_district = o.district
inner join {{ ref('thresholds') }} as low on low.threshold_id = 'participation_low'
inner join {{ ref('thresholds') }} as high on high.threshold_id = 'participation_high'
inner join {{ ref('thresholds') }} as spoken on spoken.threshold_id = 'minimum_grade_told'
where p.likeness = p.best_likeness

-- Grain: comparison x indicator x breakdowns x first side x second side. What may be said of two values beside each other: the first rule that
-- applies decides; a difference is tested with Holm's correction over its family, once, whatever a reader looks at. `difference` is the
-- first side less the second, its interval that of Newcombe (1998) for independent values, `z` the distance to no difference in the
-- interval's own units. Cannot say why two values differ.
{%- set shared = shared_breakdowns() %}
with ruled as (

    select
        *,
        comparison <> 'state' and district <> other_district as is_across_districts,
        school_year <> other_school_year as is_across_years,
        basis in ('own_test', 'state_relative', 'linked', 'scale_free') as is_of_a_test,
        coalesce(state_of_value, 'missing') as first_state,
        coalesce(other_state_of_value, 'missing') as second_state
    from {{ ref('int_comparison_pairs') }}

),

judged as (

    select
        *,
        case
            when first_state = 'missing' or second_state = 'missing' then 'no_data'
            when first_state = 'confidential' or second_state = 'confidential' then 'suppressed'
            -- A district may always be set beside its own state; what its results leave out is said with it.
            when comparison = 'state' then case when lower is null or upper is null or lower = upper then 'uncertainty_unknown' end
            when is_across_districts and is_across_years then 'not_a_pair'
            when is_across_districts and is_describe_only then 'describe_only'
            when
                definition_version <> other_definition_version
                or matching <> other_matching
                or not is_matching_known
                or not other_is_matching_known
                then 'not_comparable_definition'
            when is_of_a_test and {{ differs('administration', 'other_administration') }} then 'not_comparable_definition'
            when basis in ('own_test', 'state_relative') and state <> other_state then 'within_state_only'
            when
                is_of_a_test and (has_course_test or other_has_course_test)
                then 'not_comparable_coverage'
            when
                is_of_a_test
                and instrument is not null
                and (
                    {{ is_outside('participation') }} or {{ is_outside('other_participation') }}
                    or {{ is_outside('participation_of_all') }} or {{ is_outside('other_participation_of_all') }}
                )
                then 'not_comparable_coverage'
            -- The state's own participation must be known where its distribution is the yardstick; elsewhere it must not be known to fail.
            when
                is_of_a_test
                and (
                    state_participation < participation_low or state_participation > participation_high
                    or other_state_participation < participation_low or other_state_participation > participation_high
                )
                then 'not_comparable_coverage'
            when
                basis in ('state_relative', 'linked')
                and first_state = 'there'
                and second_state = 'there'
                and ({{ is_outside('state_participation') }} or {{ is_outside('other_state_participation') }})
                then 'not_comparable_coverage'
            when
                basis = 'own_test' and is_across_years
                and (
                    {{ differs('test', 'other_test') }}
                    or {{ differs('cut_version', 'other_cut_version') }}
                    or {{ differs('scale_version', 'other_scale_version') }}
                    or {{ differs('mode', 'other_mode') }}
                )
                then 'trend_break'
            when basis in ('state_relative', 'scale_free') and is_across_years and {{ differs('test', 'other_test') }} then 'trend_break'
            when basis = 'linked' and (first_state = 'not_linked' or second_state = 'not_linked') then 'within_state_only'
            when basis = 'linked' and is_across_districts and has_naep_mean and other_has_naep_mean then 'describe_only'
            when basis = 'linked' and is_across_years then 'describe_only'
            when
                basis in ('survey', 'observed')
                and (
                    {{ differs('instrument', 'other_instrument') }}
                    or {{ differs('administration', 'other_administration') }}
                    or response_rate < response_floor
                    or other_response_rate < response_floor
                    or {{ has_flag('flags', ['response_unknown', 'response_below_floor', 'low_alpha', 'alpha_unknown', 'purposive_sample']) }}
                    or {{ has_flag('other_flags', ['response_unknown', 'response_below_floor', 'low_alpha', 'alpha_unknown', 'purposive_sample']) }}
                )
                then 'not_comparable_instrument'
            when
                not is_census
                and (
                    lower is null or upper is null or other_lower is null or other_upper is null
                    or (lower = upper and other_lower = other_upper)
                )
                then 'uncertainty_unknown'
        end as refusal
    from ruled

),

measured as (

    select
        *,
        case when first_state = 'there' and second_state = 'there' then value - other_value end as difference,
        case
            when is_census or refusal is not null then null
            else {{ newcombe_bound('value', 'lower', 'upper', 'other_value', 'other_lower', 'other_upper', 'lower') }}
        end as difference_lower,
        case
            when is_census or refusal is not null then null
            else {{ newcombe_bound('value', 'lower', 'upper', 'other_value', 'other_lower', 'other_upper', 'upper') }}
        end as difference_upper
    from judged

),

scaled as (

    select
        *,
        case
            when difference_lower is null then null
            when difference > 0 and difference > difference_lower then {{ z() }} * difference / (difference - difference_lower)
            when difference < 0 and difference < difference_upper then {{ z() }} * difference / (difference_upper - difference)
            when difference = 0 then 0.0e0
        end as z,
        comparison || '|' || breakdown_key || '|' || coalesce(subgroup, '-') || '|' || coalesce(other_subgroup, '-')
        || '|' || school_year || '|' || other_school_year
        -- Results of spring and of fall are families of their own; of different instruments there is one.
        || '|' || coalesce(administration, '-') || '|' || coalesce(other_administration, '-') as family
    from measured

),

ranked as (

    select
        *,
        row_number() over (
            partition by family, z is null
            order by abs(z) desc, district asc, other_district asc, instrument asc, other_instrument asc
        ) as place,
        count(z) over (partition by family) as n_in_family
    from scaled

),

tested as (

    select
        r.*,
        c.critical_z,
        min(case when abs(r.z) > c.critical_z then 1 else 0 end) over (
            partition by r.family, r.z is null
            order by r.place
            rows between unbounded preceding and current row
        ) = 1 as is_significant
    from ranked as r
    left join {{ ref('holm_critical_values') }} as c on r.z is not null and c.n_left = r.n_in_family - r.place + 1

),

decided as (

    select
        *,
        case
            when refusal is not null then refusal
            when is_census and abs(difference) > 1e-9 * (1 + abs(value)) then 'directly_comparable'
            when z is null or not is_significant then 'too_close_to_call'
            when basis = 'linked' then 'comparable_with_linking_error'
            else 'directly_comparable'
        end as verdict
    from tested

)

select
    d.comparison,
    d.indicator_id,
    d.district,
    d.other_district,
    d.school_year,
    d.other_school_year,
    d.subgroup,
    d.other_subgroup,
    {% for breakdown in shared -%}
    d.{{ breakdown }},
    {% endfor -%}
    d.instrument,
    d.other_instrument,
    d.administration,
    d.other_administration,
    d.unit,
    d.value,
    d.other_value,
    d.verdict,
    case
        when d.verdict in ('directly_comparable', 'comparable_with_linking_error') and d.difference > 0 then 'higher'
        when d.verdict in ('directly_comparable', 'comparable_with_linking_error') and d.difference < 0 then 'lower'
    end as finding,
    case when v.is_comparable then d.difference end as difference,
    case when v.is_comparable then (d.difference_upper - d.difference_lower) / (2 * {{ z() }}) end as standard_error,
    case when v.is_comparable then d.difference_lower end as lower,
    case when v.is_comparable then d.difference_upper end as upper,
    case when v.is_comparable then d.z end as z,
    d.is_census,
    case when d.z is not null then cast(d.n_in_family as integer) end as n_in_family,
    {{ reason_for_verdict('d', 'v') }} as reason,
    {{ remedy_of_verdict('d', 'v') }} as remedy
from decided as d
inner join {{ ref('verdicts') }} as v on d.verdict = v.verdict
order by
    d.indicator_id, d.comparison, d.breakdown_key, d.subgroup, d.school_year, d.other_school_year, d.district, d.other_district,
    d.instrument, d.other_instrument, d.administration, d.other_administration

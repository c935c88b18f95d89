-- Grain: district x school year x category (core challenge; null: all).
-- Days are compared as whole numbers such as 20250630, in which a year is 10000: the same day some years later.
with policies as (

    select
        district,
        school_year,
        submission_id,
        challenge,
        status,
        extract(year from adopted_date) * 10000 + extract(month from adopted_date) * 100 + extract(day from adopted_date)
        + 10000 * {{ threshold('policy_years') }} as due_day,
        extract(year from funded_until) * 10000 + extract(month from funded_until) * 100 + extract(day from funded_until) as funded_day,
        (cast(substring(school_year, 1, 4) as integer) + 1) * 10000 + 630 as last_day
    from {{ ref('stg_policy_register') }}

),

rated as (

    select
        district,
        school_year,
        submission_id,
        challenge,
        case when due_day <= last_day then 1 else 0 end as is_due,
        case
            when due_day <= last_day and status in ('in_force', 'amended') and funded_day >= due_day then 1
            else 0
        end as is_sustained
    from policies

),

totals as (

    select
        district,
        school_year,
        challenge as category,
        sum(is_sustained) as n_sustained,
        sum(is_due) as n_due,
        max(submission_id) as submission_id
    from rated
    group by district, school_year, challenge
    union all
    select
        district,
        school_year,
        cast(null as varchar) as category,
        sum(is_sustained) as n_sustained,
        sum(is_due) as n_due,
        max(submission_id) as submission_id
    from rated
    group by district, school_year

)

select
    district,
    school_year,
    category,
    cast(n_sustained as double) as numerator,
    cast(n_due as double) as denominator,
    case when n_due = 0 then 'z' end as symbol,
    submission_id as sources
from totals

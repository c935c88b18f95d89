-- Grain: district x school_year x audience (null: any audience).
-- A withheld count of people is a test that was held; a count that was not delivered leaves it open.
with uses as (

    select
        district,
        school_year,
        message_id,
        audience,
        max(submission_id) as submission_id,
        max(case when is_in_use then 1 when not is_in_use then 0 end) as is_in_use,
        case
            when max(case when n_shown > 0 or n_shown_symbol in ('c', 'low', 'u') then 1 else 0 end) = 1 then 1
            when min(case when n_shown = 0 or n_shown_symbol = 'z' then 1 else 0 end) = 1 then 0
        end as is_tested
    from {{ ref('stg_message_tests') }}
    group by district, school_year, message_id, audience

),

messages as (

    select
        district,
        school_year,
        message_id,
        audience,
        submission_id,
        is_in_use,
        is_tested
    from uses
    union all
    select
        district,
        school_year,
        message_id,
        cast(null as varchar) as audience,
        max(submission_id) as submission_id,
        case when max(is_in_use) = 1 then 1 when count(*) = count(is_in_use) then 0 end as is_in_use,
        case when max(is_tested) = 1 then 1 when count(*) = count(is_tested) then 0 end as is_tested
    from uses
    group by district, school_year, message_id

),

totals as (

    select
        district,
        school_year,
        audience,
        max(submission_id) as submission_id,
        avg(case when is_in_use = 0 or (is_in_use = 1 and is_tested is not null) then 1.0e0 else 0.0e0 end) as coverage,
        cast(sum(case when is_in_use = 1 and is_tested = 1 then 1 else 0 end) as double) as numerator,
        cast(sum(case when is_in_use = 1 and is_tested is not null then 1 else 0 end) as double) as denominator
    from messages
    group by district, school_year, audience

)

select
    district,
    school_year,
    audience,
    case when coverage >= {{ threshold('minimum_coverage') }} then numerator end as numerator,
    case when coverage >= {{ threshold('minimum_coverage') }} then denominator end as denominator,
    case
        when coverage < {{ threshold('minimum_coverage') }} then 'x'
        when denominator = 0 then 'z'
    end as symbol,
    submission_id as sources
from totals

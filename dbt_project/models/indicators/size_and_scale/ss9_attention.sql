-- Grain: district x school year x administration (term; null: the year) x statistic (hours, initiatives).
-- The year is the row of the full year where one was sent, else its terms added up.
with sent as (

    select
        district,
        school_year,
        submission_id,
        term,
        'hours' as statistic,
        pl_hours_math as numerator,
        pl_hours_all as denominator,
        cast(null as varchar) as symbol
    from {{ ref('stg_district_priorities') }}
    union all
    select
        district,
        school_year,
        submission_id,
        term,
        'initiatives' as statistic,
        cast(n_math_initiatives as double) as numerator,
        cast(n_initiatives as double) as denominator,
        coalesce(n_math_initiatives_symbol, n_initiatives_symbol) as symbol
    from {{ ref('stg_district_priorities') }}

),

of_the_year as (

    select
        *,
        max(case when term = 'full_year' then 1 else 0 end) over (partition by district, school_year) as has_full_year
    from sent

),

all_rows as (

    select
        district,
        school_year,
        submission_id,
        term as administration,
        statistic,
        numerator,
        denominator,
        symbol
    from sent
    union all
    select
        district,
        school_year,
        max(submission_id) as submission_id,
        cast(null as varchar) as administration,
        statistic,
        case when count(*) = count(numerator) and count(*) = count(denominator) then sum(numerator) end as numerator,
        case when count(*) = count(numerator) and count(*) = count(denominator) then sum(denominator) end as denominator,
        max(symbol) as symbol
    from of_the_year
    where has_full_year = 0 or term = 'full_year'
    group by district, school_year, statistic

)

select
    district,
    school_year,
    administration,
    statistic,
    case when denominator is not null then numerator end as numerator,
    case when numerator is not null then denominator end as denominator,
    case
        when numerator is null or denominator is null then coalesce(symbol, 'x')
        when denominator = 0 then 'z'
    end as symbol,
    submission_id as sources
from all_rows

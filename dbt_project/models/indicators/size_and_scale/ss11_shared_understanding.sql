-- Grain: district x school year x audience x administration (term; null: the term with most answers).
-- The question is asked once and may be sent beside several topics, so one topic's row stands for a term: that with most answers.
with ordered as (

    select
        district,
        school_year,
        submission_id,
        audience,
        term,
        n_audience,
        n_respondents,
        n_naming_priorities,
        coalesce(nullif(n_naming_priorities_symbol, 'z'), nullif(n_respondents_symbol, 'z')) as symbol,
        case
            when n_respondents_symbol = 'z' then 0
            when n_respondents is null or n_naming_priorities is null then 1
            else 2
        end as has_answers,
        row_number() over (
            partition by district, school_year, audience, term
            order by
                case
                    when n_respondents_symbol = 'z' then 2
                    when n_respondents is null or n_naming_priorities is null then 1
                    else 0
                end asc,
                n_respondents desc,
                topic asc
        ) as place
    from {{ ref('stg_stakeholder_communication') }}

),

terms as (

    select
        *,
        row_number() over (
            partition by district, school_year, audience
            order by has_answers desc, n_respondents desc, term asc
        ) as place_of_term
    from ordered
    where place = 1

),

all_rows as (

    select
        *,
        term as administration
    from terms
    where has_answers > 0
    union all
    select
        *,
        cast(null as varchar) as administration
    from terms
    where place_of_term = 1

)

select
    district,
    school_year,
    audience,
    administration,
    case when has_answers = 2 then cast(n_naming_priorities as double) end as numerator,
    case when has_answers = 2 then cast(n_respondents as double) end as denominator,
    case when has_answers = 2 and n_audience > 0 then cast(n_respondents as double) / n_audience end as response_rate,
    case
        when has_answers < 2 then null
        when n_audience is null or n_audience = 0 then 'response_unknown'
        when cast(n_respondents as double) / n_audience < {{ threshold('response_floor') }} then 'response_below_floor'
        when cast(n_respondents as double) / n_audience < {{ threshold('response_flagged') }} then 'low_response'
    end as flags,
    case
        when has_answers = 0 then 'z'
        when has_answers = 1 then coalesce(symbol, 'x')
        when n_respondents = 0 then 'z'
    end as symbol,
    submission_id as sources
from all_rows

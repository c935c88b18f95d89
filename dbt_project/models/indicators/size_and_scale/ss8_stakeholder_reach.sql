-- Grain: district x school year x audience x category (topic) x administration (term). People reached on several topics cannot be added.
select
    district,
    school_year,
    audience,
    topic as category,
    term as administration,
    case when n_audience is not null then cast(n_reached as double) end as numerator,
    case when n_reached is not null then cast(n_audience as double) end as denominator,
    case
        when n_reached is null or n_audience is null then coalesce(n_reached_symbol, n_audience_symbol, 'x')
        when n_audience = 0 then 'z'
    end as symbol,
    submission_id as sources
from {{ ref('stg_stakeholder_communication') }}

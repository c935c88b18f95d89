-- Grain: district x school_year x audience x category (message) x statistic (share, difference) x instrument x administration (wave).
-- A message without a comparison message has no difference. `n` of a difference is that of the message: the smaller of two would tell
-- something of the other one.
with tests as (

    select
        district,
        school_year,
        submission_id,
        message_id,
        audience,
        wave,
        instrument,
        comparison_message,
        case when n_shown = 0 then 0 else n_resonated end as n_resonated,
        n_shown,
        case when n_shown is null then n_shown_symbol else n_resonated_symbol end as reason
    from {{ ref('stg_message_tests') }}

),

bounded as (

    select
        *,
        cast(n_resonated as double) / nullif(n_shown, 0) as share,
        {{ wilson_bound('cast(n_resonated as double)', 'n_shown', 'lower') }} as share_lower,
        {{ wilson_bound('cast(n_resonated as double)', 'n_shown', 'upper') }} as share_upper,
        case
            when n_shown = 0 then 'z'
            when n_shown is not null and n_resonated is not null then null
            when reason in ('z', 'c', 'u') then reason
            else 'x'
        end as symbol
    from tests

)

select
    district,
    school_year,
    audience,
    message_id as category,
    'share' as statistic,
    instrument,
    wave as administration,
    cast(n_resonated as double) as numerator,
    cast(n_shown as double) as denominator,
    cast(null as double) as value,
    cast(null as double) as lower,
    cast(null as double) as upper,
    n_shown as n,
    'share' as unit,
    symbol,
    submission_id as sources
from bounded
union all
select
    m.district,
    m.school_year,
    m.audience,
    m.message_id as category,
    'difference' as statistic,
    m.instrument,
    m.wave as administration,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    m.share - c.share as value,
    {% for side in ('lower', 'upper') -%}
    {{ newcombe_bound('m.share', 'm.share_lower', 'm.share_upper', 'c.share', 'c.share_lower', 'c.share_upper', side) }} as {{ side }},
    {% endfor -%}
    m.n_shown as n,
    'difference_of_shares' as unit,
    coalesce(m.symbol, case when c.message_id is null then 'x' else c.symbol end) as symbol,
    m.submission_id as sources
from bounded as m
left join bounded as c
    on
        m.district = c.district
        and m.school_year = c.school_year
        and m.audience = c.audience
        and m.wave = c.wave
        and m.instrument = c.instrument
        and m.comparison_message = c.message_id
where m.comparison_message is not null

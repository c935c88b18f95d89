-- Grain: district x school year x program_id x cohort (null: all cohorts).
select
    district,
    school_year,
    program_id,
    cohort,
    case when n_participants is not null then n_now_facilitating end as numerator,
    case when n_now_facilitating is not null then n_participants end as denominator,
    case
        when n_now_facilitating is not null and n_participants = 0 then 'z'
        else coalesce(n_now_facilitating_symbol, n_participants_symbol)
    end as symbol,
    submission_id as sources
from {{ ref('int_program_reach') }}

-- Grain: district x school year x program_id x cohort (null: all cohorts).
select
    r.district,
    r.school_year,
    r.program_id,
    r.cohort,
    case when r.n_leaders_trained is not null then r.n_teachers_supported end as numerator,
    case when r.n_teachers_supported is not null then r.n_leaders_trained end as denominator,
    case
        when r.n_teachers_supported < p.teachers_per_leader_low * r.n_leaders_trained then 'below_band'
        when r.n_teachers_supported > p.teachers_per_leader_high * r.n_leaders_trained and r.n_leaders_trained > 0 then 'above_band'
    end as flags,
    case
        when r.n_teachers_supported is not null and r.n_leaders_trained = 0 then 'z'
        else coalesce(r.n_leaders_trained_symbol, r.n_teachers_supported_symbol)
    end as symbol,
    r.submission_id as sources
from {{ ref('int_program_reach') }} as r
left join {{ ref('stg_programs') }} as p on r.program_id = p.program_id

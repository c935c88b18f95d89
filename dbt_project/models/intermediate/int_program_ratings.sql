-- Grain: district x school_year x program_id x rater: whether the programme is accomplished, and by which rule that was decided.
-- The rules apply in this order: all ten principles rated, none undeveloped, few developing, A accomplished, one of G, H, I accomplished.
with counted as (

    select
        district,
        school_year,
        program_id,
        rater,
        max(submission_id) as submission_id,
        count(distinct principle) as n_principles,
        sum(case when rating = 'undeveloped' then 1 else 0 end) as n_undeveloped,
        sum(case when rating = 'developing' then 1 else 0 end) as n_developing,
        sum(case when rating = 'accomplished' and principle = 'A' then 1 else 0 end) as n_need,
        sum(case when rating = 'accomplished' and principle in ('G', 'H', 'I') then 1 else 0 end) as n_of_g_h_i
    from {{ ref('stg_program_rubric') }}
    group by district, school_year, program_id, rater

),

decided as (

    select
        district,
        school_year,
        program_id,
        rater,
        submission_id,
        case
            when n_principles < {{ threshold('design_principles') }} then 'principle_missing'
            when n_undeveloped > 0 then 'undeveloped_principle'
            when n_developing > {{ threshold('most_developing_principles') }} then 'more_than_three_developing'
            when n_need = 0 then 'A_not_accomplished'
            when n_of_g_h_i = 0 then 'none_of_G_H_I'
            else 'all_rules_met'
        end as decided_by
    from counted

)

select
    district,
    school_year,
    program_id,
    rater,
    submission_id,
    decided_by,
    case decided_by
        when 'all_rules_met' then 1
        when 'principle_missing' then null
        else 0
    end as is_accomplished
from decided

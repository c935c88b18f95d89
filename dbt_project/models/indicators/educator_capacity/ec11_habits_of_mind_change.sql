-- Grain: district x school year (of the measurement after) x program_id x cohort x category (habit) x instrument. The row before is
-- the latest one of the same group and instrument up to that year: a programme may begin in an earlier school year.
with before_rows as (

    select
        a.district,
        a.school_year,
        a.program_id,
        a.cohort,
        a.habit,
        b.submission_id,
        b.sd_score,
        b.n_teachers_symbol,
        row_number() over (
            partition by a.district, a.school_year, a.program_id, a.cohort, a.habit
            order by b.school_year desc
        ) as place
    from {{ ref('stg_habits_of_mind') }} as a
    inner join {{ ref('stg_habits_of_mind') }} as b
        on
            a.district = b.district
            and a.program_id = b.program_id
            and a.cohort = b.cohort
            and a.habit = b.habit
            and a.instrument = b.instrument
            and a.school_year >= b.school_year
    where a.occasion = 'after' and b.occasion = 'before'

),

changes as (

    select
        a.district,
        a.school_year,
        a.program_id,
        a.cohort,
        a.habit,
        a.instrument,
        a.n_paired,
        a.mean_change,
        a.sd_change,
        b.sd_score as sd_before,
        case
            when a.n_paired is null then case when a.n_paired_symbol in ('c', 'u') then a.n_paired_symbol else 'x' end
            when a.n_paired < {{ threshold('minimum_habits_teachers') }} then 'u'
            when b.sd_score is null and b.n_teachers_symbol = 'c' then 'c'
            when a.mean_change is null or b.sd_score is null then 'x'
            when b.sd_score = 0 then 'z'
        end as symbol,
        case
            when b.submission_id is null or b.submission_id = a.submission_id then a.submission_id
            else a.submission_id || '; ' || b.submission_id
        end as sources
    from {{ ref('stg_habits_of_mind') }} as a
    left join before_rows as b
        on
            a.district = b.district
            and a.school_year = b.school_year
            and a.program_id = b.program_id
            and a.cohort = b.cohort
            and a.habit = b.habit
            and b.place = 1
    where a.occasion = 'after'

)

select
    district,
    school_year,
    program_id,
    cohort,
    habit as category,
    instrument,
    case when symbol is null then mean_change / sd_before end as value,
    case when symbol is null then sd_change / sqrt(n_paired) / sd_before end as standard_error,
    case
        when symbol is null then (mean_change - {{ t_quantile('(n_paired - 1)') }} * sd_change / sqrt(n_paired)) / sd_before
    end as lower,
    case
        when symbol is null then (mean_change + {{ t_quantile('(n_paired - 1)') }} * sd_change / sqrt(n_paired)) / sd_before
    end as upper,
    n_paired as n,
    symbol,
    sources
from changes

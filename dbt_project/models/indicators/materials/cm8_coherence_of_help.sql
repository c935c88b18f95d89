-- Grain: schools.
-- Beside the schools that are coherent, those are totalled which only an unrated title keeps from it, for the flag.
with schools as (

    select
        district,
        school_year,
        school_id,
        max(submission_id) as submission_id,
        count(*) as n_titles,
        sum(case when alignment_with_core = 'aligned' then 1 else 0 end) as n_aligned,
        sum(case when alignment_with_core in ('partial', 'none') then 1 else 0 end) as n_not_aligned
    from {{ ref('stg_curriculum_adoption') }}
    where role in ('intervention', 'tutoring') and subgroup = 'all'
    group by district, school_year, school_id

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        'coherent' as what,
        case
            when n_aligned = n_titles then 1
            when n_aligned > 0 or n_not_aligned > 0 then 0
        end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from schools
    union all
    select
        district,
        school_year,
        school_id,
        submission_id,
        'unrated' as what,
        case
            when n_aligned = n_titles or n_not_aligned > 0 then 0
            when n_aligned > 0 then 1
        end as numerator,
        1 as denominator,
        cast(null as varchar) as symbol
    from schools

),

totals as (

    {{ total_over_schools('counts', ['what']) }}

),

beside as (

    select
        *,
        max(case when what = 'unrated' and denominator > 0 then numerator / denominator end)
            over (partition by district, school_year, {{ school_groups() | join(', ') }}) as share_unrated
    from totals

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    numerator,
    denominator,
    n_schools,
    case when share_unrated > 1 - {{ threshold('minimum_coverage') }} then 'alignment_unrated' end as flags,
    symbol,
    sources
from beside
where what = 'coherent'

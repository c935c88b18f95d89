-- Grain: district x school_year x school_id, for every school of the directory in district years with ratings. `stage` is the verified
-- one where there is one, else the school's own, else not_rated; `first_date` and `reached_date` look back over all ratings of the
-- school's lineage: the earliest day of any stage, and the earliest by which initial or full implementation had begun.
with standing as (

    select
        district,
        school_year,
        school_id,
        lineage_id,
        submission_id,
        rating_type,
        stage,
        rating_date,
        start_date,
        row_number() over (
            partition by district, school_year, school_id
            order by case when stage is null then 1 else 0 end, rating_type desc
        ) as place
    from {{ ref('int_school_stages') }}
    where lineage_id is not null

),

first_days as (

    select
        r.district,
        s.lineage_id,
        min(r.start_date) as first_date
    from {{ ref('stg_implementation_stage') }} as r
    inner join {{ ref('int_schools') }} as s
        on r.district = s.district and r.school_year = s.school_year and r.school_id = s.school_id
    group by r.district, s.lineage_id

),

reached_days as (

    select
        district,
        lineage_id,
        min(coalesce(start_date, rating_date)) as reached_date
    from standing
    where place = 1 and stage in ('initial', 'full')
    group by district, lineage_id

)

select
    t.district,
    t.school_year,
    t.school_id,
    t.submission_id,
    t.rating_type,
    t.rating_date,
    t.start_date,
    f.first_date,
    case when r.reached_date <= t.rating_date then r.reached_date end as reached_date,
    coalesce(t.stage, 'not_rated') as stage
from standing as t
left join first_days as f on t.district = f.district and t.lineage_id = f.lineage_id
left join reached_days as r on t.district = r.district and t.lineage_id = r.lineage_id
where t.place = 1

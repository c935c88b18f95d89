-- Grain: district x school_year x school_id x rating_type: the latest rating of the school year, by day and then by rater.
with ordered as (

    select
        district,
        school_year,
        school_id,
        rating_type,
        submission_id,
        rater,
        rating_date,
        stage,
        start_date,
        row_number() over (
            partition by district, school_year, school_id, rating_type
            order by rating_date desc, rater desc
        ) as place
    from {{ ref('stg_implementation_stage') }}

)

select
    district,
    school_year,
    school_id,
    rating_type,
    submission_id,
    rater,
    rating_date,
    stage,
    start_date
from ordered
where place = 1

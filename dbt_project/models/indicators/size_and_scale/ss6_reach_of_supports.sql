-- Grain: schools x category (size band by mathematics teachers, the bands of LC5). The counts of EC3; a school whose number of
-- mathematics teachers is not known, or which has none, is in no band.
with schools as (

    {{ learning_counts('ALL', 'n_teachers_full_cycle', 'n_math_teachers') }}

),

counts as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        case
            when denominator < {{ threshold('small_math_staff') }} then 'small'
            when denominator < {{ threshold('large_math_staff') }} then 'medium'
            else 'large'
        end as category,
        numerator,
        denominator,
        symbol
    from schools
    where denominator > 0

)

{{ total_over_schools('counts', ['category']) }}

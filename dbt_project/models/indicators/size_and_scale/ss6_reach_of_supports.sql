-- Grain: schools x category (few, some or many mathematics teachers). The counts of EC3; a school whose number of mathematics teachers is
-- not known, or which has none, is in no category.
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
            when denominator <= {{ threshold('support_band_small_most') }} then 'few_teachers'
            when denominator <= {{ threshold('support_band_medium_most') }} then 'some_teachers'
            else 'many_teachers'
        end as category,
        numerator,
        denominator,
        symbol
    from schools
    where denominator > 0

)

{{ total_over_schools('counts', ['category']) }}

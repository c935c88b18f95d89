-- Grain: schools.
with counts as (

    {{ learning_counts('curriculum_based', 'n_teachers_10h', 'n_math_teachers') }}

)

{{ total_over_schools('counts') }}

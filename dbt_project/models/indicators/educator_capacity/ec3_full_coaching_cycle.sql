-- Grain: schools.
with counts as (

    {{ learning_counts('ALL', 'n_teachers_full_cycle', 'n_math_teachers') }}

)

{{ total_over_schools('counts') }}

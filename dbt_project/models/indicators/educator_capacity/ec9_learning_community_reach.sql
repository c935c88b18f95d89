-- Grain: schools.
with counts as (

    {{ learning_counts('learning_community', 'n_teachers', 'n_math_teachers') }}

)

{{ total_over_schools('counts') }}

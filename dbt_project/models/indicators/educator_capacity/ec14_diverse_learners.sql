-- Grain: schools.
with counts as (

    {{ learning_counts('diverse_learners', 'n_teachers', 'n_math_teachers') }}

)

{{ total_over_schools('counts') }}

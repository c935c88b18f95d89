-- Grain: schools.
with counts as (

    {{ learning_counts('ALL', 'n_k5_teachers_content', 'n_k5_teachers') }}

)

{{ total_over_schools('counts') }}

-- Grain: schools.
with counts as (

    {{ learning_counts('ALL', 'n_teachers_sequenced_job_embedded', 'n_math_teachers') }}

)

{{ total_over_schools('counts') }}

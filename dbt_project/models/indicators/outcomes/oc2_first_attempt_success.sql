-- Grain: schools x course (null: both pathways; courses for whole districts only) x subgroup x cohort.
{{ algebra_share('n_passed_first_attempt', 'n_first_attempt', ['grade_8', 'first_time_grade_9'], courses=true, by_cohort=true) }}

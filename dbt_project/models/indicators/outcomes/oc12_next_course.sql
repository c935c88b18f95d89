-- Grain: schools x course (null: both pathways; courses for whole districts only) x subgroup.
{{ algebra_share('n_passed_next_course', 'n_passed_first_attempt', ['first_time_grade_9'], courses=true) }}

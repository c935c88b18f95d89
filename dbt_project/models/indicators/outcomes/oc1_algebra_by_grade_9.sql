-- Grain: schools x course (null: both pathways; courses for whole districts only) x subgroup.
{{ algebra_share('n_completed_by_grade_9', 'n_cohort', ['first_time_grade_9'], courses=true) }}

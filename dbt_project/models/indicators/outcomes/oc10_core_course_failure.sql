-- Grain: schools x subgroup.
{{ algebra_share('n_failed_core_math', 'n_cohort', ['first_time_grade_9']) }}

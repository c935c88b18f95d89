-- Grain: schools x subgroup.
{{ algebra_share('n_enrolled_by_grade_8', 'n_cohort', ['grade_8']) }}

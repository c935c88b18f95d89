-- Grain: schools x subgroup. No share: students who were not proficient may be enrolled too, so the ratio can be above one.
{{ algebra_share('n_enrolled_by_grade_8', 'n_proficient_grade_7', ['grade_8']) }}

-- One row a school and cohort, one block of columns a student group -> algebra_outcomes.
-- note: Rows called CITYWIDE are the district's own totals and are dropped.
-- note: Marks for missing numbers: "N/A" not applicable (z), "NR" not available (x), "*" confidential (c).
WITH by_group AS (
  SELECT
    delivered_row,
    "School" AS school_id,
    "Cohort" AS grade,
    "Course Sequence" AS pathway,
    "Passing Rule" AS pass_rule,
    'all' AS subgroup,
    trim("All: Students") AS n_cohort,
    trim("All: Proficient Gr 7") AS n_proficient_grade_7,
    trim("All: Alg by Gr 8") AS n_enrolled_by_grade_8,
    trim("All: Completed by Gr 9") AS n_completed_by_grade_9,
    trim("All: First Attempts") AS n_first_attempt,
    trim("All: First Attempts Passed") AS n_passed_first_attempt,
    trim("All: Next Course Passed") AS n_passed_next_course,
    trim("All: EOC Taken") AS n_eoc_taken,
    trim("All: EOC Passed") AS n_eoc_passed,
    trim("All: Failed Math") AS n_failed_core_math
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    "School" AS school_id,
    "Cohort" AS grade,
    "Course Sequence" AS pathway,
    "Passing Rule" AS pass_rule,
    'english_learner' AS subgroup,
    trim("EL: Students") AS n_cohort,
    trim("EL: Proficient Gr 7") AS n_proficient_grade_7,
    trim("EL: Alg by Gr 8") AS n_enrolled_by_grade_8,
    trim("EL: Completed by Gr 9") AS n_completed_by_grade_9,
    trim("EL: First Attempts") AS n_first_attempt,
    trim("EL: First Attempts Passed") AS n_passed_first_attempt,
    trim("EL: Next Course Passed") AS n_passed_next_course,
    trim("EL: EOC Taken") AS n_eoc_taken,
    trim("EL: EOC Passed") AS n_eoc_passed,
    trim("EL: Failed Math") AS n_failed_core_math
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    "School" AS school_id,
    "Cohort" AS grade,
    "Course Sequence" AS pathway,
    "Passing Rule" AS pass_rule,
    'not_english_learner' AS subgroup,
    trim("Non-EL: Students") AS n_cohort,
    trim("Non-EL: Proficient Gr 7") AS n_proficient_grade_7,
    trim("Non-EL: Alg by Gr 8") AS n_enrolled_by_grade_8,
    trim("Non-EL: Completed by Gr 9") AS n_completed_by_grade_9,
    trim("Non-EL: First Attempts") AS n_first_attempt,
    trim("Non-EL: First Attempts Passed") AS n_passed_first_attempt,
    trim("Non-EL: Next Course Passed") AS n_passed_next_course,
    trim("Non-EL: EOC Taken") AS n_eoc_taken,
    trim("Non-EL: EOC Passed") AS n_eoc_passed,
    trim("Non-EL: Failed Math") AS n_failed_core_math
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    "School" AS school_id,
    "Cohort" AS grade,
    "Course Sequence" AS pathway,
    "Passing Rule" AS pass_rule,
    'low_income' AS subgroup,
    trim("FRL: Students") AS n_cohort,
    trim("FRL: Proficient Gr 7") AS n_proficient_grade_7,
    trim("FRL: Alg by Gr 8") AS n_enrolled_by_grade_8,
    trim("FRL: Completed by Gr 9") AS n_completed_by_grade_9,
    trim("FRL: First Attempts") AS n_first_attempt,
    trim("FRL: First Attempts Passed") AS n_passed_first_attempt,
    trim("FRL: Next Course Passed") AS n_passed_next_course,
    trim("FRL: EOC Taken") AS n_eoc_taken,
    trim("FRL: EOC Passed") AS n_eoc_passed,
    trim("FRL: Failed Math") AS n_failed_core_math
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    "School" AS school_id,
    "Cohort" AS grade,
    "Course Sequence" AS pathway,
    "Passing Rule" AS pass_rule,
    'not_low_income' AS subgroup,
    trim("Non-FRL: Students") AS n_cohort,
    trim("Non-FRL: Proficient Gr 7") AS n_proficient_grade_7,
    trim("Non-FRL: Alg by Gr 8") AS n_enrolled_by_grade_8,
    trim("Non-FRL: Completed by Gr 9") AS n_completed_by_grade_9,
    trim("Non-FRL: First Attempts") AS n_first_attempt,
    trim("Non-FRL: First Attempts Passed") AS n_passed_first_attempt,
    trim("Non-FRL: Next Course Passed") AS n_passed_next_course,
    trim("Non-FRL: EOC Taken") AS n_eoc_taken,
    trim("Non-FRL: EOC Passed") AS n_eoc_passed,
    trim("Non-FRL: Failed Math") AS n_failed_core_math
  FROM delivered
)

SELECT
  trim(school_id) AS school_id,
  CASE trim(grade) WHEN '8' THEN 'grade_8' WHEN '9' THEN 'first_time_grade_9' ELSE grade END AS cohort,
  subgroup,
  trim(pathway) AS pathway,
  trim(pass_rule) AS pass_rule,
  CASE WHEN n_cohort NOT IN ('N/A', 'NR', '*') THEN n_cohort END AS n_cohort,
  CASE n_cohort WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_cohort_symbol,
  CASE WHEN n_proficient_grade_7 NOT IN ('N/A', 'NR', '*') THEN n_proficient_grade_7 END AS n_proficient_grade_7,
  CASE n_proficient_grade_7 WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_proficient_grade_7_symbol,
  CASE WHEN n_enrolled_by_grade_8 NOT IN ('N/A', 'NR', '*') THEN n_enrolled_by_grade_8 END AS n_enrolled_by_grade_8,
  CASE n_enrolled_by_grade_8 WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_enrolled_by_grade_8_symbol,
  CASE WHEN n_completed_by_grade_9 NOT IN ('N/A', 'NR', '*') THEN n_completed_by_grade_9 END
    AS n_completed_by_grade_9,
  CASE n_completed_by_grade_9 WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_completed_by_grade_9_symbol,
  CASE WHEN n_first_attempt NOT IN ('N/A', 'NR', '*') THEN n_first_attempt END AS n_first_attempt,
  CASE n_first_attempt WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_first_attempt_symbol,
  CASE WHEN n_passed_first_attempt NOT IN ('N/A', 'NR', '*') THEN n_passed_first_attempt END
    AS n_passed_first_attempt,
  CASE n_passed_first_attempt WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_passed_first_attempt_symbol,
  CASE WHEN n_passed_next_course NOT IN ('N/A', 'NR', '*') THEN n_passed_next_course END AS n_passed_next_course,
  CASE n_passed_next_course WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_passed_next_course_symbol,
  CASE WHEN n_eoc_taken NOT IN ('N/A', 'NR', '*') THEN n_eoc_taken END AS n_eoc_taken,
  CASE n_eoc_taken WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_eoc_taken_symbol,
  CASE WHEN n_eoc_passed NOT IN ('N/A', 'NR', '*') THEN n_eoc_passed END AS n_eoc_passed,
  CASE n_eoc_passed WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_eoc_passed_symbol,
  CASE WHEN n_failed_core_math NOT IN ('N/A', 'NR', '*') THEN n_failed_core_math END AS n_failed_core_math,
  CASE n_failed_core_math WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_failed_core_math_symbol,
  CASE WHEN trim(school_id) = 'CITYWIDE' THEN 'district_total' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM by_group

-- New York City mathematics results by school and grade, 2006-2011 layout -> assessment_levels.
-- note: "s" in the delivered file hides groups of 1 to 5 tested students; their levels are confidential (c), not zero.
-- note: "All Grades" rows are the district's own pooled rows (grades 3-8); they are kept beside the grade rows and never
--   added to them. The file does not carry enrolment.
WITH parsed AS (
  SELECT
    delivered_row,
    trim("DBN") AS dbn,
    trim("Grade") AS grade,
    cast(trim("Year") AS INTEGER) AS spring,
    trim("Category") AS category,
    replace(trim("Number Tested"), ',', '') AS n_tested,
    replace(trim("Level 1 #"), ',', '') AS n_level_1,
    replace(trim("Level 2 #"), ',', '') AS n_level_2,
    replace(trim("Level 3 #"), ',', '') AS n_level_3,
    replace(trim("Level 4 #"), ',', '') AS n_level_4
  FROM delivered
)

SELECT
  'school' AS unit_type,
  dbn AS unit_id,
  CASE WHEN grade = 'All Grades' THEN '3_8' ELSE grade END AS grade,
  CASE WHEN category = 'All Students' THEN 'all' ELSE category END AS subgroup,
  CASE
    WHEN spring >= 2013 THEN 'ny_nystp_math_2013'
    WHEN spring >= 2010 THEN 'ny_nystp_math_2010'
    ELSE 'ny_nystp_math_2006'
  END AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  CASE WHEN n_level_1 <> 's' THEN n_level_1 END AS n_level_1,
  CASE WHEN n_level_1 = 's' THEN 'c' END AS n_level_1_symbol,
  CASE WHEN n_level_2 <> 's' THEN n_level_2 END AS n_level_2,
  CASE WHEN n_level_2 = 's' THEN 'c' END AS n_level_2_symbol,
  CASE WHEN n_level_3 <> 's' THEN n_level_3 END AS n_level_3,
  CASE WHEN n_level_3 = 's' THEN 'c' END AS n_level_3_symbol,
  CASE WHEN n_level_4 <> 's' THEN n_level_4 END AS n_level_4,
  CASE WHEN n_level_4 = 's' THEN 'c' END AS n_level_4_symbol,
  NULL AS n_level_5,
  'z' AS n_level_5_symbol,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  (spring - 1) || '-' || right(cast(spring AS VARCHAR), 2) AS school_year,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

-- Chicago PARCC and IAR mathematics by school, grades 3-8 pooled, number tested and percents -> assessment_levels.
-- note: The source gives percents in five levels, rounded to 0.1, and no counts. A count is N x percent / sum of percents,
--   rounded down, and the students left over go to the levels with the largest fractions, so that levels add up to N. A
--   count is off by at most one student plus 0.05 % of N plus what the percents miss of 100 (exact for most N under 1,000).
-- note: A third party compiled this file from the district's workbook: it is a submission, not what the state published. Grades
--   3-8 are pooled. The file does not carry enrolment in tested grades.
WITH parsed AS (
  SELECT
    delivered_row,
    trim(school_id) AS school_id,
    cast(trim("year") AS INTEGER) AS spring,
    try_cast(trim(number_students_tested_math) AS BIGINT) AS n_tested,
    [
      try_cast(trim(percent_did_not_meet_math) AS DOUBLE),
      try_cast(trim(percent_partially_met_math) AS DOUBLE),
      try_cast(trim(percent_approached_math) AS DOUBLE),
      try_cast(trim(percent_met_math) AS DOUBLE),
      try_cast(trim(percent_exceeded_math) AS DOUBLE)
    ] AS percents
  FROM delivered
),

shared AS (
  SELECT
    *,
    list_sum(percents) AS percents_sum,
    list_count(percents) = 5 AND n_tested > 0 AND list_sum(percents) BETWEEN 97.5 AND 102.5 AS is_usable,
    [n_tested * p / list_sum(percents) FOR p IN percents] AS shares
  FROM parsed
),

left_over AS (
  SELECT
    *,
    n_tested - cast(list_sum([floor(s + 1e-9) FOR s IN shares]) AS BIGINT) AS n_left_over,
    [s - floor(s + 1e-9) - i * 1e-12 FOR s, i IN shares] AS fractions
  FROM shared
),

counted AS (
  SELECT
    *,
    [
      cast(floor(s + 1e-9) AS BIGINT)
      + CASE WHEN len(list_filter(fractions, LAMBDA f: f > fractions[i])) < n_left_over THEN 1 ELSE 0 END
      FOR s, i IN shares
    ] AS counts
  FROM left_over
)

SELECT
  'school' AS unit_type,
  school_id AS unit_id,
  '3_8' AS grade,
  'all' AS subgroup,
  CASE WHEN spring >= 2019 THEN 'il_iar_math_2019' ELSE 'il_parcc_math_2015' END AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  counts[1] AS n_level_1,
  counts[2] AS n_level_2,
  counts[3] AS n_level_3,
  counts[4] AS n_level_4,
  counts[5] AS n_level_5,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  (spring - 1) || '-' || right(cast(spring AS VARCHAR), 2) AS school_year,
  CASE
    WHEN coalesce(n_tested, 0) = 0 THEN 'no_students_tested'
    WHEN NOT is_usable THEN 'percents_incomplete'
  END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM counted

-- Smarter Balanced 2015 by California district; its row of California -> state_level_distribution.
-- note: The file gives proportions rounded to 0.01. Only the pooled row (grades 3-8 and 11) becomes counts, with N the file's
--   studentswithscores. The file does not say for which subject that N is: English and mathematics are tested separately, so N
--   may differ from the mathematics N. Grade rows carry no N and are dropped as no_denominator.
-- note: A count is N x proportion / sum of proportions, rounded down, and the students left over go to the levels with the
--   largest fractions. A count is off by at most one student plus 0.5 % of N plus what the proportions miss of 1.
-- note: The file does not carry enrolment, and does not say when it was published; `publication` says the year of the test.
WITH california AS (
  SELECT
    *,
    cast(replace(trim(studentswithscores), ',', '') AS BIGINT) AS n_tested,
    [
      cast(pct_standard_not_met_math AS DOUBLE),
      cast(pct_standard_nearly_met_math AS DOUBLE),
      cast(pct_standard_met_math AS DOUBLE),
      cast(pct_standard_exceeded_math AS DOUBLE)
    ] AS proportions
  FROM delivered
  WHERE trim(entity_slug) = 'california'
),

shared AS (
  SELECT
    *,
    [n_tested * p / list_sum(proportions) FOR p IN proportions] AS shares
  FROM california
),

left_over AS (
  SELECT
    *,
    n_tested - cast(list_sum([floor(s + 1e-9) FOR s IN shares]) AS BIGINT) AS n_left_over,
    [s - floor(s + 1e-9) - i * 1e-12 FOR s, i IN shares] AS fractions
  FROM shared
),

pooled AS (
  SELECT
    delivered_row,
    n_tested,
    [
      cast(floor(s + 1e-9) AS BIGINT)
      + CASE WHEN len(list_filter(fractions, LAMBDA f: f > fractions[i])) < n_left_over THEN 1 ELSE 0 END
      FOR s, i IN shares
    ] AS counts
  FROM left_over
)

SELECT
  '3_8_and_11' AS grade,
  'ca_smarter_balanced_math_2015' AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  counts[1] AS n_level_1,
  counts[2] AS n_level_2,
  counts[3] AS n_level_3,
  counts[4] AS n_level_4,
  NULL AS n_level_5,
  'z' AS n_level_5_symbol,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  'California Department of Education, Smarter Balanced results (CAASPP), 2015, as compiled in a file by district' AS publication,
  '2014-15' AS school_year,
  CASE WHEN coalesce(n_tested, 0) = 0 THEN 'no_students_tested' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM pooled
UNION ALL BY NAME
SELECT
  g.grade,
  'no_denominator' AS drop_reason,
  [c.delivered_row] AS delivered_rows
FROM california AS c
CROSS JOIN (VALUES ('3'), ('4'), ('5'), ('6'), ('7'), ('8'), ('11')) AS g (grade)
UNION ALL BY NAME
SELECT
  'part_of_state' AS drop_reason,
  [delivered_row] AS delivered_rows
FROM delivered
WHERE trim(entity_slug) IS DISTINCT FROM 'california'

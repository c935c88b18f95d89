-- STAAR mathematics by Texas district, grade and test language -> state_level_distribution of Texas.
-- note: Texas is the sum over all districts of the file, charter districts among them, as the file has no row of the state. English
--   and Spanish test forms are on one scale and are added. Delivered level counts are nested (Meets is inside Approaches, Masters
--   inside Meets); they are taken apart so that the levels add up to the students tested.
-- note: The file does not carry enrolment. Students of grades 7 and 8 who sit Algebra I instead of the grade's test are not in it.
-- note: The file does not say when it was published; `publication` says the spring of the test.
WITH parsed AS (
  SELECT
    delivered_row,
    2000 + cast(trim("year") AS INTEGER) AS spring,
    trim("GRADE") AS grade,
    cast(m_docs AS BIGINT) AS n_tested,
    cast(m_all_unsatgl_nm AS BIGINT) AS n_did_not_meet,
    cast(m_all_approgl_nm AS BIGINT) AS n_approaches_or_above,
    cast(m_all_meetsgl_nm AS BIGINT) AS n_meets_or_above,
    cast(m_all_mastrgl_nm AS BIGINT) AS n_masters
  FROM delivered
),

texas AS (
  SELECT
    grade,
    spring,
    sum(n_tested) AS n_tested,
    sum(n_did_not_meet) AS n_level_1,
    sum(n_approaches_or_above - n_meets_or_above) AS n_level_2,
    sum(n_meets_or_above - n_masters) AS n_level_3,
    sum(n_masters) AS n_level_4,
    list(delivered_row) AS delivered_rows
  FROM parsed
  WHERE n_tested > 0
  GROUP BY grade, spring
)

SELECT
  grade,
  CASE WHEN spring >= 2023 THEN 'tx_staar_math_2023' ELSE 'tx_staar_math_2017' END AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  n_level_1,
  n_level_2,
  n_level_3,
  n_level_4,
  NULL AS n_level_5,
  'z' AS n_level_5_symbol,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  'Texas Education Agency, STAAR mathematics by district, spring ' || spring AS publication,
  (spring - 1) || '-' || right(cast(spring AS VARCHAR), 2) AS school_year,
  NULL AS drop_reason,
  delivered_rows
FROM texas
UNION ALL BY NAME
SELECT
  'no_students_tested' AS drop_reason,
  list(delivered_row) AS delivered_rows
FROM parsed
WHERE coalesce(n_tested, 0) = 0
GROUP BY ALL
ORDER BY school_year, grade

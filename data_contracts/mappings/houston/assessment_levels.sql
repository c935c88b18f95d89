-- STAAR mathematics by Texas district, grade and test language -> assessment_levels of Houston ISD (101912).
-- note: English and Spanish test forms are on one scale and are added. Delivered level counts are nested (Meets is inside
--   Approaches, Masters inside Meets); they are taken apart so that the levels add up to the students tested.
-- note: The file reports the district, not its schools, and does not carry enrolment.
WITH parsed AS (
  SELECT
    delivered_row,
    lpad(trim(district), 6, '0') AS district_number,
    2000 + cast(trim("year") AS INTEGER) AS spring,
    trim("GRADE") AS grade,
    cast(m_docs AS BIGINT) AS n_tested,
    cast(m_all_unsatgl_nm AS BIGINT) AS n_did_not_meet,
    cast(m_all_approgl_nm AS BIGINT) AS n_approaches_or_above,
    cast(m_all_meetsgl_nm AS BIGINT) AS n_meets_or_above,
    cast(m_all_mastrgl_nm AS BIGINT) AS n_masters
  FROM delivered
),

houston AS (
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
  WHERE district_number = '101912' AND coalesce(n_tested, 0) > 0
  GROUP BY grade, spring
)

SELECT
  'district' AS unit_type,
  '101912' AS unit_id,
  grade,
  'all' AS subgroup,
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
  (spring - 1) || '-' || right(cast(spring AS VARCHAR), 2) AS school_year,
  NULL AS drop_reason,
  delivered_rows
FROM houston
UNION ALL BY NAME
SELECT
  CASE WHEN district_number <> '101912' THEN 'other_district' ELSE 'no_students_tested' END AS drop_reason,
  list(delivered_row) AS delivered_rows
FROM parsed
WHERE district_number IS DISTINCT FROM '101912' OR coalesce(n_tested, 0) = 0
GROUP BY ALL

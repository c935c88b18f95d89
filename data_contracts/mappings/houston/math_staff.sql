-- Staff by campus, parts of a whole as percents with two decimals -> math_staff.
-- note: A count is its whole x percent / 100, rounded to the nearest whole number: exact for wholes under 5,000. Nobody of
--   nobody is zero.
-- note: Marks for missing numbers: "NA" not applicable (z), "--" not available (x), "*" confidential (c).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("Campus") AS school_id,
    trim("Math Teachers") AS n_math_teachers,
    trim("% in Years 1-2") AS p_early_career,
    trim("% K-5") AS p_k5_teachers,
    trim("Math Teachers Last Year") AS n_last_year,
    trim("% Returned") AS p_retained,
    trim("Sections 6-12") AS n_sections_6_12,
    trim("% Certified") AS p_sections_certified,
    trim("New Hires") AS n_new_hires,
    trim("% Prepared") AS p_new_hires_content_prepared,
    trim("Coach") AS coach,
    trim("Coach FTE") AS coach_fte,
    trim("Cycles") AS n_cycles,
    trim("Budgeted") AS budgeted_fte,
    trim("Vacant") AS vacant_fte
  FROM delivered
)

SELECT
  school_id,
  CASE WHEN n_math_teachers NOT IN ('NA', '--', '*') THEN n_math_teachers END AS n_math_teachers,
  CASE n_math_teachers WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_math_teachers_symbol,
  CASE
    WHEN n_math_teachers = '0' THEN 0
    ELSE cast(round(try_cast(n_math_teachers AS BIGINT) * try_cast(p_early_career AS DOUBLE) / 100) AS BIGINT)
  END AS n_early_career,
  CASE p_early_career WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_early_career_symbol,
  CASE
    WHEN n_math_teachers = '0' THEN 0
    ELSE cast(round(try_cast(n_math_teachers AS BIGINT) * try_cast(p_k5_teachers AS DOUBLE) / 100) AS BIGINT)
  END AS n_k5_teachers,
  CASE p_k5_teachers WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_k5_teachers_symbol,
  CASE WHEN n_last_year NOT IN ('NA', '--', '*') THEN n_last_year END AS n_last_year,
  CASE n_last_year WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_last_year_symbol,
  CASE
    WHEN n_last_year = '0' THEN 0
    ELSE cast(round(try_cast(n_last_year AS BIGINT) * try_cast(p_retained AS DOUBLE) / 100) AS BIGINT)
  END AS n_retained,
  CASE p_retained WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_retained_symbol,
  CASE WHEN n_sections_6_12 NOT IN ('NA', '--', '*') THEN n_sections_6_12 END AS n_sections_6_12,
  CASE n_sections_6_12 WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_sections_6_12_symbol,
  CASE
    WHEN n_sections_6_12 = '0' THEN 0
    ELSE cast(round(try_cast(n_sections_6_12 AS BIGINT) * try_cast(p_sections_certified AS DOUBLE) / 100) AS BIGINT)
  END AS n_sections_certified,
  CASE p_sections_certified WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_sections_certified_symbol,
  CASE WHEN n_new_hires NOT IN ('NA', '--', '*') THEN n_new_hires END AS n_new_hires,
  CASE n_new_hires WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_new_hires_symbol,
  CASE
    WHEN n_new_hires = '0' THEN 0
    ELSE cast(round(try_cast(n_new_hires AS BIGINT) * try_cast(p_new_hires_content_prepared AS DOUBLE) / 100) AS BIGINT)
  END AS n_new_hires_content_prepared,
  CASE p_new_hires_content_prepared WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_new_hires_content_prepared_symbol,
  CASE coach
    WHEN 'C' THEN 'school'
    WHEN 'A' THEN 'network'
    WHEN 'D' THEN 'district'
    WHEN '0' THEN 'none'
    ELSE coach
  END AS coach_model,
  coach_fte,
  CASE WHEN n_cycles NOT IN ('NA', '--', '*') THEN n_cycles END AS n_cycles,
  CASE n_cycles WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_cycles_symbol,
  budgeted_fte,
  vacant_fte,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

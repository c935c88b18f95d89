-- Two files of one delivery, who teaches and which positions there are, joined by school -> math_staff.
-- note: A school that stands in one of the files alone keeps what that file says; the rest of its row is blank.
-- note: Marks for missing numbers: "N/A" not applicable (z), "NR" not available (x), "*" confidential (c).
WITH teachers AS (
  SELECT
    delivered_row,
    trim("SCHOOL_NUMBER") AS school_number,
    trim("TCH") AS n_math_teachers,
    trim("TCH_YR_1_2") AS n_early_career,
    trim("TCH_K_5") AS n_k5_teachers,
    trim("TCH_LAST") AS n_last_year,
    trim("TCH_BACK") AS n_retained,
    trim("SECT") AS n_sections_6_12,
    trim("SECT_CERT") AS n_sections_certified,
    trim("HIRED") AS n_new_hires,
    trim("HIRED_PREP") AS n_new_hires_content_prepared
  FROM delivered
  WHERE "POSITIONS" IS NULL
),

positions AS (
  SELECT
    delivered_row,
    trim("SCHOOL_NUMBER") AS school_number,
    trim("COACH") AS coach,
    trim("COACH_FTE") AS coach_fte,
    trim("CYCLES") AS n_cycles,
    trim("POSITIONS") AS budgeted_fte,
    trim("VACANT") AS vacant_fte
  FROM delivered
  WHERE "POSITIONS" IS NOT NULL
),

joined AS (
  SELECT
    coalesce(t.school_number, p.school_number) AS school_id,
    t.* EXCLUDE (delivered_row, school_number),
    p.* EXCLUDE (delivered_row, school_number),
    list_filter([t.delivered_row, p.delivered_row], LAMBDA r: r IS NOT NULL) AS delivered_rows
  FROM teachers AS t
  FULL OUTER JOIN positions AS p ON t.school_number = p.school_number
)

SELECT
  school_id,
  CASE WHEN n_math_teachers NOT IN ('N/A', 'NR', '*') THEN n_math_teachers END AS n_math_teachers,
  CASE n_math_teachers WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_math_teachers_symbol,
  CASE WHEN n_early_career NOT IN ('N/A', 'NR', '*') THEN n_early_career END AS n_early_career,
  CASE n_early_career WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_early_career_symbol,
  CASE WHEN n_k5_teachers NOT IN ('N/A', 'NR', '*') THEN n_k5_teachers END AS n_k5_teachers,
  CASE n_k5_teachers WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_k5_teachers_symbol,
  CASE WHEN n_last_year NOT IN ('N/A', 'NR', '*') THEN n_last_year END AS n_last_year,
  CASE n_last_year WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_last_year_symbol,
  CASE WHEN n_retained NOT IN ('N/A', 'NR', '*') THEN n_retained END AS n_retained,
  CASE n_retained WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_retained_symbol,
  CASE WHEN n_sections_6_12 NOT IN ('N/A', 'NR', '*') THEN n_sections_6_12 END AS n_sections_6_12,
  CASE n_sections_6_12 WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_sections_6_12_symbol,
  CASE WHEN n_sections_certified NOT IN ('N/A', 'NR', '*') THEN n_sections_certified END AS n_sections_certified,
  CASE n_sections_certified WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_sections_certified_symbol,
  CASE WHEN n_new_hires NOT IN ('N/A', 'NR', '*') THEN n_new_hires END AS n_new_hires,
  CASE n_new_hires WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_new_hires_symbol,
  CASE WHEN n_new_hires_content_prepared NOT IN ('N/A', 'NR', '*') THEN n_new_hires_content_prepared END
    AS n_new_hires_content_prepared,
  CASE n_new_hires_content_prepared WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_new_hires_content_prepared_symbol,
  CASE coach
    WHEN 'SCH' THEN 'school'
    WHEN 'REG' THEN 'network'
    WHEN 'DIST' THEN 'district'
    WHEN 'NONE' THEN 'none'
    ELSE coach
  END AS coach_model,
  coach_fte,
  CASE WHEN n_cycles NOT IN ('N/A', 'NR', '*') THEN n_cycles END AS n_cycles,
  CASE n_cycles WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_cycles_symbol,
  budgeted_fte,
  vacant_fte,
  NULL AS drop_reason,
  delivered_rows
FROM joined

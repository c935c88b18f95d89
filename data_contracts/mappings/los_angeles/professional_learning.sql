-- One row a school, one block of columns a kind of learning -> professional_learning.
-- note: A kind whose block is blank did not take place at the school and has no row.
-- note: Marks for missing numbers: "NA" not applicable (z), "--" not available (x), "*" confidential (c).
WITH by_kind AS (
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'ALL' AS kind,
    trim("Any teachers") AS n_teachers,
    trim("Any 10+ hours") AS n_teachers_10h,
    trim("Any full cycle") AS n_teachers_full_cycle,
    trim("Any K-5 content") AS n_k5_teachers_content,
    trim("Any sequence") AS n_teachers_sequenced_job_embedded,
    trim("Any leaders") AS n_leaders,
    trim("Any hours") AS contact_hours,
    trim("Any hours on the job") AS job_embedded_hours
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'curriculum_based' AS kind,
    trim("Curriculum teachers") AS n_teachers,
    trim("Curriculum 10+ hours") AS n_teachers_10h,
    trim("Curriculum full cycle") AS n_teachers_full_cycle,
    trim("Curriculum K-5 content") AS n_k5_teachers_content,
    trim("Curriculum sequence") AS n_teachers_sequenced_job_embedded,
    trim("Curriculum leaders") AS n_leaders,
    trim("Curriculum hours") AS contact_hours,
    trim("Curriculum hours on the job") AS job_embedded_hours
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'learning_community' AS kind,
    trim("PLC teachers") AS n_teachers,
    trim("PLC 10+ hours") AS n_teachers_10h,
    trim("PLC full cycle") AS n_teachers_full_cycle,
    trim("PLC K-5 content") AS n_k5_teachers_content,
    trim("PLC sequence") AS n_teachers_sequenced_job_embedded,
    trim("PLC leaders") AS n_leaders,
    trim("PLC hours") AS contact_hours,
    trim("PLC hours on the job") AS job_embedded_hours
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'mathematics_immersion' AS kind,
    trim("Immersion teachers") AS n_teachers,
    trim("Immersion 10+ hours") AS n_teachers_10h,
    trim("Immersion full cycle") AS n_teachers_full_cycle,
    trim("Immersion K-5 content") AS n_k5_teachers_content,
    trim("Immersion sequence") AS n_teachers_sequenced_job_embedded,
    trim("Immersion leaders") AS n_leaders,
    trim("Immersion hours") AS contact_hours,
    trim("Immersion hours on the job") AS job_embedded_hours
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'diverse_learners' AS kind,
    trim("EL/SWD teachers") AS n_teachers,
    trim("EL/SWD 10+ hours") AS n_teachers_10h,
    trim("EL/SWD full cycle") AS n_teachers_full_cycle,
    trim("EL/SWD K-5 content") AS n_k5_teachers_content,
    trim("EL/SWD sequence") AS n_teachers_sequenced_job_embedded,
    trim("EL/SWD leaders") AS n_leaders,
    trim("EL/SWD hours") AS contact_hours,
    trim("EL/SWD hours on the job") AS job_embedded_hours
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Location") AS school_id,
    'other' AS kind,
    trim("Other teachers") AS n_teachers,
    trim("Other 10+ hours") AS n_teachers_10h,
    trim("Other full cycle") AS n_teachers_full_cycle,
    trim("Other K-5 content") AS n_k5_teachers_content,
    trim("Other sequence") AS n_teachers_sequenced_job_embedded,
    trim("Other leaders") AS n_leaders,
    trim("Other hours") AS contact_hours,
    trim("Other hours on the job") AS job_embedded_hours
  FROM delivered
)

SELECT
  school_id,
  kind,
  CASE WHEN n_teachers NOT IN ('NA', '--', '*') THEN n_teachers END AS n_teachers,
  CASE n_teachers WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_teachers_symbol,
  CASE WHEN n_teachers_10h NOT IN ('NA', '--', '*') THEN n_teachers_10h END AS n_teachers_10h,
  CASE n_teachers_10h WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_teachers_10h_symbol,
  CASE WHEN n_teachers_full_cycle NOT IN ('NA', '--', '*') THEN n_teachers_full_cycle END AS n_teachers_full_cycle,
  CASE n_teachers_full_cycle WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_teachers_full_cycle_symbol,
  CASE WHEN n_k5_teachers_content NOT IN ('NA', '--', '*') THEN n_k5_teachers_content END AS n_k5_teachers_content,
  CASE n_k5_teachers_content WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_k5_teachers_content_symbol,
  CASE WHEN n_teachers_sequenced_job_embedded NOT IN ('NA', '--', '*') THEN n_teachers_sequenced_job_embedded END
    AS n_teachers_sequenced_job_embedded,
  CASE n_teachers_sequenced_job_embedded WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_teachers_sequenced_job_embedded_symbol,
  CASE WHEN n_leaders NOT IN ('NA', '--', '*') THEN n_leaders END AS n_leaders,
  CASE n_leaders WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_leaders_symbol,
  contact_hours,
  job_embedded_hours,
  CASE WHEN n_teachers IS NULL AND contact_hours IS NULL THEN 'did_not_take_place' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM by_kind

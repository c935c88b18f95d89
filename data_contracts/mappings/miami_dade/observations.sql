-- A workbook with title lines: one row a school and tool, core actions side by side -> observations.
-- reading: header=none
-- note: The row TOTAL is the district's own and is dropped, as are title and header.
WITH by_action AS (
  SELECT
    delivered_row,
    trim(c1) AS school_id,
    trim(c2) AS tool,
    trim(c3) AS sampling,
    '1' AS core_action,
    trim(c4) AS n_lessons,
    trim(c5) AS n_rated_3_4
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim(c1) AS school_id,
    trim(c2) AS tool,
    trim(c3) AS sampling,
    '2' AS core_action,
    trim(c6) AS n_lessons,
    trim(c7) AS n_rated_3_4
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim(c1) AS school_id,
    trim(c2) AS tool,
    trim(c3) AS sampling,
    '3' AS core_action,
    trim(c8) AS n_lessons,
    trim(c9) AS n_rated_3_4
  FROM delivered
)

SELECT
  school_id,
  tool,
  core_action,
  n_lessons,
  n_rated_3_4,
  sampling,
  CASE
    WHEN school_id = 'TOTAL' THEN 'district_total'
    WHEN sampling IS NULL OR sampling = 'Sample' THEN 'heading'
    WHEN n_lessons IS NULL THEN 'not_observed'
  END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM by_action

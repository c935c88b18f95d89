-- Tutoring by school and programme, with semicolons and decimal commas -> tutoring_dosage.
-- note: The row Total is the district's own and is dropped.
-- note: Marks for missing numbers: "NA" not applicable (z), "--" not available (x), "*" confidential (c).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("École/School") AS school_id,
    trim("Program") AS program,
    trim("N° scheduled") AS n_scheduled,
    trim("N° adequate") AS n_adequate,
    trim("Sessions/week") AS sessions,
    trim("Minutes") AS minutes,
    trim("Group (max.)") AS group_max
  FROM delivered
)

SELECT
  school_id,
  program,
  CASE WHEN n_scheduled NOT IN ('NA', '--', '*') THEN n_scheduled END AS n_scheduled,
  CASE n_scheduled WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_scheduled_symbol,
  CASE WHEN n_adequate NOT IN ('NA', '--', '*') THEN n_adequate END AS n_adequate,
  CASE n_adequate WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_adequate_symbol,
  replace(sessions, ',', '.') AS sessions_per_week,
  replace(minutes, ',', '.') AS minutes_per_session,
  replace(group_max, ',', '.') AS group_size,
  CASE WHEN school_id = 'Total' THEN 'district_total' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

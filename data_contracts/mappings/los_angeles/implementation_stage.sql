-- Stage ratings with title lines above the header and a source below the rows -> implementation_stage.
-- reading: header=none
-- note: Lines without a date of rating (title, header, source) are dropped.
WITH parsed AS (
  SELECT
    delivered_row,
    trim(c1) AS school_id,
    trim(c2) AS rated_on,
    trim(c3) AS rater,
    trim(c4) AS stage_name,
    trim(c5) AS rated_from,
    trim(c6) AS in_stage_since
  FROM delivered
)

SELECT
  school_id,
  coalesce(strftime(try_strptime(rated_on, '%m/%d/%Y'), '%Y-%m-%d'), rated_on) AS rating_date,
  rater,
  CASE stage_name
    WHEN '1 - Exploration' THEN 'exploration'
    WHEN '2 - Installation' THEN 'installation'
    WHEN '3 - Initial Implementation' THEN 'initial'
    WHEN '4 - Full Implementation' THEN 'full'
    ELSE stage_name
  END AS stage,
  CASE rated_from WHEN 'Self' THEN 'self' WHEN 'External' THEN 'verified' ELSE rated_from END AS rating_type,
  coalesce(strftime(try_strptime(in_stage_since, '%m/%d/%Y'), '%Y-%m-%d'), in_stage_since) AS start_date,
  CASE WHEN rated_on IS NULL OR rated_on = '' OR rated_on = 'Date Rated' THEN 'heading' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

-- The board's register of policies, a workbook with a title line -> policy_register.
-- reading: header=none
-- note: Title and header are dropped.
WITH parsed AS (
  SELECT
    delivered_row,
    trim(c1) AS policy,
    trim(c2) AS area,
    trim(c3) AS adopted_date,
    trim(c4) AS funded_until,
    trim(c5) AS state_of_play
  FROM delivered
)

SELECT
  policy,
  adopted_date,
  funded_until,
  CASE state_of_play
    WHEN 'Active' THEN 'in_force'
    WHEN 'Active (amended)' THEN 'amended'
    WHEN 'On hold' THEN 'suspended'
    WHEN 'Sunset' THEN 'ended'
    ELSE state_of_play
  END AS status,
  replace(area, ' ', '_') AS challenge,
  CASE WHEN area IS NULL OR area = 'Area' THEN 'heading' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

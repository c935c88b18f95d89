-- Survey results by school and construct, favorable answers as percents with two decimals -> mindset_survey.
-- note: A count of favorable answers is responses x percent / 100, rounded to the nearest whole number: exact for fewer than
--   5,000 responses. Of no responses none is favorable.
-- note: Marks for missing numbers: "n/a" not applicable (z), "-" not available (x), "s" confidential (c), "low n" low reliability (u).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("School Code") AS school_id,
    trim("Group") AS respondents,
    trim("Grades") AS grades,
    trim("Construct") AS construct,
    trim("Survey") AS instrument,
    trim("Eligible") AS n_eligible,
    trim("Responses") AS n_respondents,
    trim("% Favorable") AS p_favorable,
    trim("Mean") AS scale_mean,
    trim("SD") AS scale_sd,
    trim("Alpha") AS alpha
  FROM delivered
)

SELECT
  school_id,
  lower(respondents) AS respondent,
  CASE grades
    WHEN '3-5' THEN '3_5'
    WHEN '6-8' THEN '6_8'
    WHEN '9-12' THEN '9_12'
    WHEN 'Adults' THEN 'all'
    ELSE grades
  END AS grade_band,
  CASE construct
    WHEN 'SE' THEN 'self_efficacy'
    WHEN 'BEL' THEN 'belonging'
    WHEN 'GM' THEN 'growth_mindset'
    WHEN 'EB' THEN 'educator_belief'
    WHEN 'MM' THEN 'math_matters'
    WHEN 'CR' THEN 'change_readiness'
    ELSE construct
  END AS scale,
  instrument,
  CASE WHEN n_eligible NOT IN ('n/a', '-', 's', 'low n') THEN n_eligible END AS n_eligible,
  CASE n_eligible WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_eligible_symbol,
  CASE WHEN n_respondents NOT IN ('n/a', '-', 's', 'low n') THEN n_respondents END AS n_respondents,
  CASE n_respondents WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_respondents_symbol,
  CASE
    WHEN n_respondents = '0' THEN 0
    ELSE cast(round(try_cast(n_respondents AS BIGINT) * try_cast(p_favorable AS DOUBLE) / 100) AS BIGINT)
  END AS n_favorable,
  CASE p_favorable WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_favorable_symbol,
  scale_mean,
  scale_sd,
  alpha,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

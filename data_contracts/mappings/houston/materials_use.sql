-- Answers about the core title by campus, with letters for who answered and when -> materials_use.
-- note: Marks for missing numbers: "NA" not applicable (z), "--" not available (x), "*" confidential (c).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("campus") AS school_id,
    trim("who") AS who,
    trim("window") AS asked_in,
    trim("kind") AS source_letter,
    trim("form") AS instrument,
    trim("asked") AS n_eligible,
    trim("answered") AS n_respondents,
    trim("4_or_5_days") AS n_regular_use,
    trim("replace_half") AS n_modifying,
    trim("other_titles") AS n_supplemental_titles,
    trim("keep") AS n_would_keep
  FROM delivered
)

SELECT
  school_id,
  CASE who
    WHEN 'T' THEN 'teacher'
    WHEN 'L' THEN 'leader'
    WHEN 'S' THEN 'student'
    WHEN 'F' THEN 'family'
    WHEN 'C' THEN 'community'
    ELSE who
  END AS respondent,
  CASE asked_in
    WHEN 'F' THEN 'fall'
    WHEN 'W' THEN 'winter'
    WHEN 'S' THEN 'spring'
    WHEN 'U' THEN 'summer'
    WHEN 'Y' THEN 'full_year'
    ELSE asked_in
  END AS wave,
  CASE source_letter WHEN 'Q' THEN 'survey' WHEN 'L' THEN 'log' ELSE source_letter END AS source,
  instrument,
  CASE WHEN n_eligible NOT IN ('NA', '--', '*') THEN n_eligible END AS n_eligible,
  CASE n_eligible WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_eligible_symbol,
  CASE WHEN n_respondents NOT IN ('NA', '--', '*') THEN n_respondents END AS n_respondents,
  CASE n_respondents WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_respondents_symbol,
  CASE WHEN n_regular_use NOT IN ('NA', '--', '*') THEN n_regular_use END AS n_regular_use,
  CASE n_regular_use WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_regular_use_symbol,
  CASE WHEN n_modifying NOT IN ('NA', '--', '*') THEN n_modifying END AS n_modifying,
  CASE n_modifying WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_modifying_symbol,
  CASE WHEN n_supplemental_titles NOT IN ('NA', '--', '*') THEN n_supplemental_titles END AS n_supplemental_titles,
  CASE n_supplemental_titles WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END
    AS n_supplemental_titles_symbol,
  CASE WHEN n_would_keep NOT IN ('NA', '--', '*') THEN n_would_keep END AS n_would_keep,
  CASE n_would_keep WHEN 'NA' THEN 'z' WHEN '--' THEN 'x' WHEN '*' THEN 'c' END AS n_would_keep_symbol,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

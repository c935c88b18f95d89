-- One row an audience and topic, terms side by side, thousands with commas -> stakeholder_communication.
-- note: Marks for missing numbers: "n/a" not applicable (z), "-" not available (x), "s" confidential (c), "low n" low reliability (u).
WITH by_term AS (
  SELECT
    delivered_row,
    trim("Who") AS who,
    trim("About") AS topic,
    'fall' AS term,
    replace(trim("Fall - Audience"), ',', '') AS n_audience,
    replace(trim("Fall - Reached"), ',', '') AS n_reached,
    replace(trim("Fall - Engaged"), ',', '') AS n_engaged,
    replace(trim("Fall - Answered"), ',', '') AS n_respondents,
    replace(trim("Fall - Named the priorities"), ',', '') AS n_naming_priorities
  FROM delivered
  UNION ALL
  SELECT
    delivered_row,
    trim("Who") AS who,
    trim("About") AS topic,
    'spring' AS term,
    replace(trim("Spring - Audience"), ',', '') AS n_audience,
    replace(trim("Spring - Reached"), ',', '') AS n_reached,
    replace(trim("Spring - Engaged"), ',', '') AS n_engaged,
    replace(trim("Spring - Answered"), ',', '') AS n_respondents,
    replace(trim("Spring - Named the priorities"), ',', '') AS n_naming_priorities
  FROM delivered
)

SELECT
  CASE who
    WHEN 'Families' THEN 'families'
    WHEN 'Teachers' THEN 'teachers'
    WHEN 'School leaders' THEN 'school_leaders'
    WHEN 'Board of Education' THEN 'board'
    WHEN 'Community, general' THEN 'community'
    WHEN 'Students' THEN 'students'
    ELSE who
  END AS audience,
  topic,
  term,
  CASE WHEN n_audience NOT IN ('n/a', '-', 's', 'low n') THEN n_audience END AS n_audience,
  CASE n_audience WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_audience_symbol,
  CASE WHEN n_reached NOT IN ('n/a', '-', 's', 'low n') THEN n_reached END AS n_reached,
  CASE n_reached WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_reached_symbol,
  CASE WHEN n_engaged NOT IN ('n/a', '-', 's', 'low n') THEN n_engaged END AS n_engaged,
  CASE n_engaged WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_engaged_symbol,
  CASE WHEN n_respondents NOT IN ('n/a', '-', 's', 'low n') THEN n_respondents END AS n_respondents,
  CASE n_respondents WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_respondents_symbol,
  CASE WHEN n_naming_priorities NOT IN ('n/a', '-', 's', 'low n') THEN n_naming_priorities END
    AS n_naming_priorities,
  CASE n_naming_priorities WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_naming_priorities_symbol,
  CASE WHEN n_audience IS NULL THEN 'nothing_in_term' END AS drop_reason,
  [delivered_row] AS delivered_rows
FROM by_term

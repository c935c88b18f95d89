-- School leaders of all school years in one file, named by the year in which they end -> school_leaders.
-- note: Marks for missing numbers: "n/a" not applicable (z), "-" not available (x), "s" confidential (c), "low n" low reliability (u).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("Year Ending") AS year_ending,
    trim("School Code") AS school_id,
    trim("Leaders") AS n_leaders,
    trim("Completed Math Learning") AS n_leaders_math_learning,
    trim("Principal Tenure") AS tenure,
    trim("Data Cycle") AS data_cycle,
    trim("Walkthroughs Sem 1") AS n_walkthroughs_fall,
    trim("Walkthroughs Sem 2") AS n_walkthroughs_spring,
    trim("Tool") AS walkthrough_tool,
    trim("Survey Responses") AS n_respondents,
    trim("Confident in Math") AS n_confident_math,
    trim("Confident in ELA") AS n_confident_ela
  FROM delivered
)

SELECT
  school_id,
  CASE WHEN n_leaders NOT IN ('n/a', '-', 's', 'low n') THEN n_leaders END AS n_leaders,
  CASE n_leaders WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_leaders_symbol,
  CASE WHEN n_leaders_math_learning NOT IN ('n/a', '-', 's', 'low n') THEN n_leaders_math_learning END
    AS n_leaders_math_learning,
  CASE n_leaders_math_learning WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_leaders_math_learning_symbol,
  CASE tenure
    WHEN '0-1 yrs' THEN '0_1'
    WHEN '2-3 yrs' THEN '2_3'
    WHEN '4+ yrs' THEN '4_plus'
    ELSE tenure
  END AS principal_tenure,
  CASE data_cycle WHEN 'Monthly' THEN 'true' WHEN 'Less often' THEN 'false' ELSE data_cycle END AS monthly_math_data_cycle,
  CASE WHEN n_walkthroughs_fall NOT IN ('n/a', '-', 's', 'low n') THEN n_walkthroughs_fall END
    AS n_walkthroughs_fall,
  CASE n_walkthroughs_fall WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_walkthroughs_fall_symbol,
  CASE WHEN n_walkthroughs_spring NOT IN ('n/a', '-', 's', 'low n') THEN n_walkthroughs_spring END
    AS n_walkthroughs_spring,
  CASE n_walkthroughs_spring WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_walkthroughs_spring_symbol,
  walkthrough_tool,
  CASE WHEN n_respondents NOT IN ('n/a', '-', 's', 'low n') THEN n_respondents END AS n_respondents,
  CASE n_respondents WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_respondents_symbol,
  CASE WHEN n_confident_math NOT IN ('n/a', '-', 's', 'low n') THEN n_confident_math END AS n_confident_math,
  CASE n_confident_math WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_confident_math_symbol,
  CASE WHEN n_confident_ela NOT IN ('n/a', '-', 's', 'low n') THEN n_confident_ela END AS n_confident_ela,
  CASE n_confident_ela WHEN 'n/a' THEN 'z' WHEN '-' THEN 'x' WHEN 's' THEN 'c' WHEN 'low n' THEN 'u' END
    AS n_confident_ela_symbol,
  (cast(year_ending AS INTEGER) - 1) || '-' || right(year_ending, 2) AS school_year,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

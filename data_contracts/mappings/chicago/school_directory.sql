-- School profiles by name, grades in one column and the NCES id in two -> school_directory.
-- note: Marks for missing numbers: "N/A" not applicable (z), "NR" not available (x), "*" confidential (c).
WITH parsed AS (
  SELECT
    delivered_row,
    trim("School_ID") AS school_id,
    trim("Long_Name") AS school_name,
    trim("Legacy_School_IDs") AS legacy_ids,
    trim("NCES_Agency") AS agency,
    trim("NCES_School") AS school_number,
    trim("Primary_Category") AS category,
    trim("Grades") AS grades,
    trim("Governance") AS governance,
    trim("NMIP_Participant") AS participant,
    trim("Network") AS network,
    trim("Enrollment_Total") AS n_enrolled,
    trim("Enrollment_K12_Participating") AS n_enrolled_in_scope,
    trim("Enrollment_Low_Income") AS n_low_income,
    trim("Enrollment_English_Learners") AS n_english_learner,
    trim("Enrollment_Special_Education") AS n_disability
  FROM delivered
)

SELECT
  school_id,
  agency || school_number AS nces_school_id,
  school_name,
  CASE category
    WHEN 'ES' THEN 'elementary'
    WHEN 'MS' THEN 'middle'
    WHEN 'HS' THEN 'high'
    WHEN 'K8' THEN 'elementary_middle'
    WHEN '6-12' THEN 'middle_high'
    WHEN 'K-12' THEN 'combined'
    WHEN 'OTHER' THEN 'other'
    ELSE category
  END AS school_level,
  split_part(grades, '-', 1) AS low_grade,
  split_part(grades, '-', 2) AS high_grade,
  CASE governance WHEN 'Charter' THEN 'true' WHEN 'District' THEN 'false' ELSE governance END AS is_charter,
  CASE participant WHEN 'Y' THEN 'true' WHEN 'N' THEN 'false' ELSE participant END AS in_scope,
  replace(network, 'Network ', 'network-') AS network_id,
  replace(legacy_ids, ' & ', ';') AS predecessor_school_ids,
  CASE WHEN n_enrolled NOT IN ('N/A', 'NR', '*') THEN n_enrolled END AS n_enrolled,
  CASE n_enrolled WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_enrolled_symbol,
  CASE WHEN n_enrolled_in_scope NOT IN ('N/A', 'NR', '*') THEN n_enrolled_in_scope END AS n_enrolled_in_scope,
  CASE n_enrolled_in_scope WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END
    AS n_enrolled_in_scope_symbol,
  CASE WHEN n_low_income NOT IN ('N/A', 'NR', '*') THEN n_low_income END AS n_low_income,
  CASE n_low_income WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_low_income_symbol,
  CASE WHEN n_english_learner NOT IN ('N/A', 'NR', '*') THEN n_english_learner END AS n_english_learner,
  CASE n_english_learner WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_english_learner_symbol,
  CASE WHEN n_disability NOT IN ('N/A', 'NR', '*') THEN n_disability END AS n_disability,
  CASE n_disability WHEN 'N/A' THEN 'z' WHEN 'NR' THEN 'x' WHEN '*' THEN 'c' END AS n_disability_symbol,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM parsed

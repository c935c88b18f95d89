-- Florida FAST mathematics, PM3 spring 2023: six workbooks, one a grade, school by school -> assessment_levels of Miami-Dade (13).
-- reading: header=none
-- note: The source gives whole percents and no counts. N x percent at level 3 or above is rounded to whole students, carrying
--   what rounding leaves over from one school to the next in order of school number, so that a grade's total is within one
--   student of the sum of N x percent, and a school's count within 0.5 % of N plus one student. Within each part a level is its
--   share of the part's percents, rounded down, and the students left over go to the levels with the largest fractions: off by
--   at most 1 % of N plus two students.
-- note: "*" hides levels of small groups and of groups in one single level; they are confidential (c), not zero. The file does not
--   carry enrolment; charter schools are in it.
-- note: FAST in spring 2023 is reported on the earlier scale and its cuts; from 2023-24 the cuts are new.
WITH parsed AS (
  SELECT
    delivered_row,
    trim(c1) AS district_number,
    trim(c3) AS school_number,
    regexp_extract(trim(c5), '^0?([3-8])$', 1) AS grade,
    try_cast(trim(c6) AS BIGINT) AS n_tested,
    try_cast(trim(c8) AS DOUBLE) AS percent_level_3_or_above,
    trim(c9) = '*' OR trim(c10) = '*' AS is_suppressed,
    [try_cast(trim(c9) AS DOUBLE), try_cast(trim(c10) AS DOUBLE)] AS percents_below,
    [try_cast(trim(c11) AS DOUBLE), try_cast(trim(c12) AS DOUBLE), try_cast(trim(c13) AS DOUBLE)] AS percents_above
  FROM delivered
),

classified AS (
  SELECT
    *,
    CASE
      WHEN district_number IS NULL OR NOT regexp_full_match(district_number, '[0-9]{2}') THEN 'heading'
      WHEN district_number = '00' THEN 'state_total'
      WHEN district_number <> '13' THEN 'other_district'
      WHEN coalesce(n_tested, 0) = 0 THEN 'no_students_tested'
      WHEN NOT is_suppressed AND (
        percent_level_3_or_above IS NULL OR list_count(percents_below) < 2 OR list_count(percents_above) < 3
      ) THEN 'percents_incomplete'
    END AS drop_reason
  FROM parsed
),

-- Running totals in ten-thousandths of a student, as whole numbers, so that rounding is exact.
carried AS (
  SELECT
    *,
    n_tested * cast(round(percent_level_3_or_above * 100) AS BIGINT) AS above_share,
    sum(n_tested * cast(round(percent_level_3_or_above * 100) AS BIGINT)) FILTER (
      WHERE drop_reason IS NULL AND NOT is_suppressed
    ) OVER (PARTITION BY grade ORDER BY school_number, delivered_row) AS above_total
  FROM classified
),

split AS (
  SELECT
    *,
    CASE WHEN drop_reason IS NULL AND NOT is_suppressed THEN
      cast((above_total + 5000) // 10000 - (above_total - above_share + 5000) // 10000 AS BIGINT)
    END AS n_above
  FROM carried
),

-- A part whose percents are all 0 while the split gives it students keeps them at its level nearest the cut.
parts AS (
  SELECT
    *,
    CASE
      WHEN list_sum(percents_below) > 0
        THEN [(n_tested - n_above) * p / list_sum(percents_below) FOR p IN percents_below]
      ELSE [0.0, cast(n_tested - n_above AS DOUBLE)]
    END AS shares_below,
    CASE
      WHEN list_sum(percents_above) > 0 THEN [n_above * p / list_sum(percents_above) FOR p IN percents_above]
      ELSE [cast(n_above AS DOUBLE), 0.0, 0.0]
    END AS shares_above
  FROM split
),

left_over AS (
  SELECT
    *,
    n_tested - n_above - cast(list_sum([floor(s + 1e-9) FOR s IN shares_below]) AS BIGINT) AS n_left_below,
    n_above - cast(list_sum([floor(s + 1e-9) FOR s IN shares_above]) AS BIGINT) AS n_left_above,
    [s - floor(s + 1e-9) - i * 1e-12 FOR s, i IN shares_below] AS fractions_below,
    [s - floor(s + 1e-9) - i * 1e-12 FOR s, i IN shares_above] AS fractions_above
  FROM parts
),

counted AS (
  SELECT
    *,
    [
      cast(floor(s + 1e-9) AS BIGINT)
      + CASE WHEN len(list_filter(fractions_below, LAMBDA f: f > fractions_below[i])) < n_left_below THEN 1 ELSE 0 END
      FOR s, i IN shares_below
    ] AS counts_below,
    [
      cast(floor(s + 1e-9) AS BIGINT)
      + CASE WHEN len(list_filter(fractions_above, LAMBDA f: f > fractions_above[i])) < n_left_above THEN 1 ELSE 0 END
      FOR s, i IN shares_above
    ] AS counts_above
  FROM left_over
)

SELECT
  'school' AS unit_type,
  school_number AS unit_id,
  grade,
  'all' AS subgroup,
  'fl_fast_math_2023' AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  CASE WHEN NOT is_suppressed THEN counts_below[1] END AS n_level_1,
  CASE WHEN is_suppressed THEN 'c' END AS n_level_1_symbol,
  CASE WHEN NOT is_suppressed THEN counts_below[2] END AS n_level_2,
  CASE WHEN is_suppressed THEN 'c' END AS n_level_2_symbol,
  CASE WHEN NOT is_suppressed THEN counts_above[1] END AS n_level_3,
  CASE WHEN is_suppressed THEN 'c' END AS n_level_3_symbol,
  CASE WHEN NOT is_suppressed THEN counts_above[2] END AS n_level_4,
  CASE WHEN is_suppressed THEN 'c' END AS n_level_4_symbol,
  CASE WHEN NOT is_suppressed THEN counts_above[3] END AS n_level_5,
  CASE WHEN is_suppressed THEN 'c' END AS n_level_5_symbol,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  '2022-23' AS school_year,
  drop_reason,
  [delivered_row] AS delivered_rows
FROM counted

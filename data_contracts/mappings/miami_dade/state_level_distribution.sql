-- Florida FAST mathematics, PM3 spring 2023: six workbooks, one a grade; their row of state totals -> state_level_distribution.
-- reading: header=none
-- note: The source gives whole percents and no counts. N x percent at level 3 or above is rounded to whole students; within each
--   part a level is its share of the part's percents, rounded down, and the students left over go to the levels with the largest
--   fractions. Students at level 3 or above are off by at most 0.5 % of N plus one student, those at one level by at most 1 % of N
--   plus two students.
-- note: The file does not carry enrolment. Students of the middle grades who sit an end-of-course test are not in it, and students of
--   grade 7 in advanced courses sit the test of grade 8. Charter schools are in it.
-- note: FAST in spring 2023 is reported on the earlier scale and its cuts; from 2023-24 the cuts are new.
WITH parsed AS (
  SELECT
    delivered_row,
    trim(c1) AS district_number,
    regexp_extract(trim(c5), '^0?([3-8])$', 1) AS grade,
    try_cast(trim(c6) AS BIGINT) AS n_tested,
    try_cast(trim(c8) AS DOUBLE) AS percent_level_3_or_above,
    [try_cast(trim(c9) AS DOUBLE), try_cast(trim(c10) AS DOUBLE)] AS percents_below,
    [try_cast(trim(c11) AS DOUBLE), try_cast(trim(c12) AS DOUBLE), try_cast(trim(c13) AS DOUBLE)] AS percents_above
  FROM delivered
),

classified AS (
  SELECT
    *,
    cast(round(n_tested * percent_level_3_or_above / 100) AS BIGINT) AS n_above,
    CASE
      WHEN district_number IS NULL OR NOT regexp_full_match(district_number, '[0-9]{2}') THEN 'heading'
      WHEN district_number <> '00' THEN 'part_of_state'
      WHEN coalesce(n_tested, 0) = 0 THEN 'no_students_tested'
      WHEN
        percent_level_3_or_above IS NULL OR list_count(percents_below) < 2 OR list_count(percents_above) < 3
        OR list_sum(percents_below) = 0 OR list_sum(percents_above) = 0
        THEN 'percents_incomplete'
    END AS drop_reason
  FROM parsed
),

parts AS (
  SELECT
    *,
    [(n_tested - n_above) * p / list_sum(percents_below) FOR p IN percents_below] AS shares_below,
    [n_above * p / list_sum(percents_above) FOR p IN percents_above] AS shares_above
  FROM classified
  WHERE drop_reason IS NULL
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
  grade,
  'fl_fast_math_2023' AS instrument,
  'spring' AS administration,
  NULL AS n_enrolled,
  'x' AS n_enrolled_symbol,
  n_tested,
  counts_below[1] AS n_level_1,
  counts_below[2] AS n_level_2,
  counts_above[1] AS n_level_3,
  counts_above[2] AS n_level_4,
  counts_above[3] AS n_level_5,
  NULL AS n_level_6,
  'z' AS n_level_6_symbol,
  'Florida Department of Education, Spring 2023 Florida Assessment of Student Thinking, Mathematics, School Results (state totals)'
    AS publication,
  '2022-23' AS school_year,
  NULL AS drop_reason,
  [delivered_row] AS delivered_rows
FROM counted
UNION ALL BY NAME
SELECT
  drop_reason,
  [delivered_row] AS delivered_rows
FROM classified
WHERE drop_reason IS NOT NULL

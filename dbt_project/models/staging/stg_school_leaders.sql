-- Grain: district x school_year x school_id; certified submissions in force only.
select
    district,
    school_year,
    submission_id,
    school_id,
    n_leaders,
    n_leaders_symbol,
    n_leaders_math_learning,
    n_leaders_math_learning_symbol,
    principal_tenure,
    monthly_math_data_cycle,
    n_walkthroughs_fall,
    n_walkthroughs_fall_symbol,
    n_walkthroughs_spring,
    n_walkthroughs_spring_symbol,
    walkthrough_tool,
    n_respondents,
    n_respondents_symbol,
    n_confident_math,
    n_confident_math_symbol,
    n_confident_ela,
    n_confident_ela_symbol
from {{ source('lake', 'school_leaders') }}

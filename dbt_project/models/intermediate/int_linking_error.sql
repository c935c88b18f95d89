-- Grain: one row. The error of linking in NAEP points: what the back-test's own cells leave beyond sampling, once there are enough of them;
-- the published error of linked means of large urban districts until then. Cells whose coverage is refused judge nothing, and a cell whose
-- NAEP mean has no known standard error cannot say what sampling leaves.
select
    count(*) as n_cells,
    avg(difference) as bias,
    sqrt(avg(difference * difference)) as rmse,
    case
        when count(naep_se) >= {{ threshold('minimum_backtest_cells') }}
            then sqrt(
                greatest(0.0e0, avg(case when naep_se is not null then difference * difference - linked_variance - naep_se * naep_se end))
            )
        else {{ threshold('published_linking_rmse') }}
    end as linking_sd,
    case when count(naep_se) >= {{ threshold('minimum_backtest_cells') }} then 'own' else 'published' end as judged_by
from {{ ref('int_link_backtest') }}
where coverage in ('covered', 'participation_unknown')

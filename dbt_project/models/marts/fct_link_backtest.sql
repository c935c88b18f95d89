-- Grain: district x school_year x grade. Linked means beside the district's own NAEP means: how far the link was off. A cell whose coverage
-- is refused is shown and judges nothing.
select
    b.district,
    b.state,
    b.school_year,
    b.grade,
    b.instrument,
    b.n,
    b.linked_mean,
    sqrt(b.linked_variance + e.linking_sd * e.linking_sd) as standard_error,
    b.linked_mean - {{ z() }} * sqrt(b.linked_variance + e.linking_sd * e.linking_sd) as lower,
    b.linked_mean + {{ z() }} * sqrt(b.linked_variance + e.linking_sd * e.linking_sd) as upper,
    b.naep_mean,
    b.naep_se,
    b.difference,
    b.coverage,
    b.coverage in ('covered', 'participation_unknown') as is_judged,
    -- An unknown error of NAEP's own mean makes the interval no wider.
    b.naep_mean between
    b.linked_mean - {{ z() }} * sqrt(b.linked_variance + e.linking_sd * e.linking_sd + coalesce(b.naep_se * b.naep_se, 0.0e0))
    and b.linked_mean + {{ z() }} * sqrt(b.linked_variance + e.linking_sd * e.linking_sd + coalesce(b.naep_se * b.naep_se, 0.0e0))
        as is_within
from {{ ref('int_link_backtest') }} as b
cross join {{ ref('int_linking_error') }} as e
order by b.district, b.school_year, b.grade

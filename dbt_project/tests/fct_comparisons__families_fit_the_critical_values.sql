-- A family larger than the table of critical values would silently find nothing different.
select
    indicator_id,
    comparison,
    max(n_in_family) as n_in_family
from {{ ref('fct_comparisons') }}
group by indicator_id, comparison
having max(n_in_family) > (select max(n_left) from {{ ref('holm_critical_values') }})

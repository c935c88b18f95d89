-- Grain: verdict. What each verdict means and what would lift it.
select
    verdict,
    sort_order,
    label,
    meaning,
    remedy,
    is_comparable
from {{ ref('verdicts') }}
order by sort_order

-- Grain: unit_type x unit_id x schools x grade x year. Published results; those of an invented network stand in its home.
select
    unit_type,
    unit_id,
    schools,
    cast(grade as varchar) as grade,
    cast(year as integer) as year,
    school_year,
    cast(mean as double) as mean,
    cast(share_basic as double) as share_basic,
    cast(share_proficient as double) as share_proficient,
    cast(se as double) as se,
    source
{% if var('has_own_naep_results', false) -%}
from {{ source('reference', 'naep_results') }}
{%- else -%}
from {{ ref('naep_results') }}
{%- endif %}

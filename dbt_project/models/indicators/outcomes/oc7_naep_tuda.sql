-- Grain: district x school year x grade; published results, whatever the district itself has sent.
select
    unit_id as district,
    school_year,
    grade,
    'all' as subgroup,
    mean as value,
    se as standard_error,
    case when se is null then 'standard_error_unknown' end as flags,
    cast(null as varchar) as symbol,
    'naep' as sources
from {{ ref('stg_naep_results') }}
where unit_type = 'district'

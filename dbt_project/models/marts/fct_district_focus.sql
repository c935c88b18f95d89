-- Grain: district x school_year x term. The challenge that a district works on first, and whether it shares with its peers.
select
    district,
    school_year,
    term,
    focus_challenge,
    shares_with_peers,
    submission_id
from {{ ref('stg_district_priorities') }}
order by district, school_year, term

-- Grain: schools x category (role of the title; `all`: the three roles together).
-- Beside the students whose title is aligned, those are totalled whose title nobody rated, for the flag.
with titles as (

    select
        district,
        school_year,
        school_id,
        submission_id,
        role,
        n_students,
        n_students_symbol,
        case when alignment_with_core = 'aligned' then 1 else 0 end as is_aligned,
        case when alignment_with_core is null or alignment_with_core = 'unknown' then 1 else 0 end as is_unrated
    from {{ ref('stg_curriculum_adoption') }}
    where role in ('intervention', 'after_school', 'tutoring') and subgroup = 'all'

),

counts as (
    {% for category in ('role', "'all'") %}{% for what in ('aligned', 'unrated') %}
    select
        district,
        school_year,
        school_id,
        submission_id,
        {{ category }} as category,
        '{{ what }}' as what,
        n_students * is_{{ what }} as numerator,
        n_students as denominator,
        n_students_symbol as symbol
    from titles
    {% if not (loop.last and category != 'role') %}union all{% endif %}
    {% endfor %}{% endfor %}
),

totals as (

    {{ total_over_schools('counts', ['category', 'what']) }}

),

beside as (

    select
        *,
        max(case when what = 'unrated' and denominator > 0 then numerator / denominator end)
            over (partition by district, school_year, {{ school_groups() | join(', ') }}, category) as share_unrated
    from totals

)

select
    district,
    school_year,
    {{ school_groups() | join(',\n    ') }},
    'all' as subgroup,
    category,
    numerator,
    denominator,
    n_schools,
    case when share_unrated > 1 - {{ threshold('minimum_coverage') }} then 'alignment_unrated' end as flags,
    symbol,
    sources
from beside
where what = 'aligned'

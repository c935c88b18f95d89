-- Grain: district x school year x program_id x cohort (null: all cohorts) x statistic (leader, teacher, student).
with costs as (
    {% for statistic, people in {'leader': 'n_leaders_trained', 'teacher': 'n_teachers_supported', 'student': 'n_students_reached'}.items() %}
    select
        district,
        school_year,
        program_id,
        cohort,
        '{{ statistic }}' as statistic,
        submission_id,
        training_cost_usd as numerator,
        {{ people }} as denominator,
        training_cost_usd_symbol as numerator_symbol,
        {{ people }}_symbol as denominator_symbol
    from {{ ref('int_program_reach') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    district,
    school_year,
    program_id,
    cohort,
    statistic,
    case when denominator is not null then numerator end as numerator,
    case when numerator is not null then denominator end as denominator,
    case
        when numerator is not null and denominator = 0 then 'z'
        else coalesce(numerator_symbol, denominator_symbol)
    end as symbol,
    submission_id as sources
from costs

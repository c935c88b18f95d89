-- Grain: schools x respondent x statistic x instrument.
{{ scale_over_schools('change_readiness', ['teacher', 'leader'], has_grades=false) }}

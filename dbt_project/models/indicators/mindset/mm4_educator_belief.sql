-- Grain: schools x respondent x statistic x instrument.
{{ scale_over_schools('educator_belief', ['teacher', 'leader'], has_grades=false) }}

-- Grain: schools x respondent x statistic x instrument.
{{ scale_over_schools('math_matters', ['family', 'community'], has_grades=false) }}

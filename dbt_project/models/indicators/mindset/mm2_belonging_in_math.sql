-- Grain: schools x grade (band) x respondent x statistic x instrument.
{{ scale_over_schools('belonging', ['student'], has_grades=true) }}

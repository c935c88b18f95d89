{#- Breakdowns that two values have in common when they are set beside each other. Who is compared (district, year, subgroup) and with what it
    was measured (instrument, administration) stands on both sides; groups of schools smaller than a district are not compared. -#}
{% macro shared_breakdowns() -%}
  {{ return(
    breakdowns()
    | reject('in', ['unit_type', 'unit_id', 'network_id', 'subgroup', 'instrument', 'administration'])
    | list
  ) }}
{%- endmacro %}

{#- What each side of a comparison brings with it, from int_comparison_values. -#}
{% macro side_columns() -%}
  {{ return([
    'instrument', 'administration', 'value', 'lower', 'upper', 'symbol', 'flags', 'definition_version', 'response_rate',
    'matching', 'is_matching_known', 'test', 'cut_version', 'scale_version', 'mode', 'has_course_test', 'participation',
    'participation_of_all', 'state_participation', 'n_tested', 'n_tested_in_grade_6', 'has_naep_mean', 'state_of_value'
  ]) }}
{%- endmacro %}

{#- One text of several columns, the same for the same values, nulls too. -#}
{% macro joined_key(columns) -%}
  {% for column in columns %}coalesce({{ column }}, '-'){% if not loop.last %} || '|' || {% endif %}{% endfor %}
{%- endmacro %}

{#- True where one side has a value of a flag list (`a; b`). -#}
{% macro has_flag(column, flags) -%}
  ({% for flag in flags %}position('{{ flag }}' in coalesce({{ column }}, '')) > 0{% if not loop.last %} or {% endif %}{% endfor %})
{%- endmacro %}

{#- True where a share of students tested is unknown or outside what stands for the students enrolled. -#}
{% macro is_outside(participation, of='') -%}
  ({{ participation }} is null or {{ participation }} < {{ of }}participation_low or {{ participation }} > {{ of }}participation_high)
{%- endmacro %}

{#- A share in percents with one decimal, so that what falls short of a limit is not rounded to it. -#}
{% macro in_percent(share) -%}
  cast(cast(floor(1000 * {{ share }}) as double) / 10 as varchar) || ' %'
{%- endmacro %}

{#- The verdict's reason in one sentence: what is particular to the two values where it can be said, else what the verdict means. -#}
{% macro reason_for_verdict(d, v) -%}
  case
    when {{ d }}.verdict = 'no_data' and 'u' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-'))
      then 'One of the values rests on too few people or schools, or on an unsound measurement, and is not shown.'
    when {{ d }}.verdict = 'no_data' and 'z' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-'))
      then 'One of the values cannot exist: there is nothing to count.'
    when {{ d }}.verdict = 'no_data' and 'x' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-'))
      then 'One of the values could not be computed from what was sent: a count, a state''s distribution or a published result is missing.'
    when {{ d }}.verdict = 'no_data' and {{ d }}.first_state = 'missing' and {{ d }}.second_state = 'missing'
      then 'Neither value is there: nothing was sent, or it is not certified.'
    when {{ d }}.verdict = 'not_comparable_definition' and (not {{ d }}.is_matching_known or not {{ d }}.other_is_matching_known)
      then 'Nobody has said by which definition one of the values was counted, or several stand behind it.'
    when {{ d }}.verdict = 'not_comparable_definition' and {{ d }}.is_of_a_test and {{ differs(d ~ '.administration', d ~ '.other_administration') }}
      then 'The tests were given at different times of the year: ' || coalesce({{ d }}.administration, 'not named') || ' and '
        || coalesce({{ d }}.other_administration, 'not named') || '.'
    when {{ d }}.verdict = 'not_comparable_definition' and position('flags' in {{ d }}.must_match) > 0
      then 'Each value is counted by its own programme''s definition, and the two definitions differ.'
    when {{ d }}.verdict = 'not_comparable_definition' and {{ d }}.matching <> {{ d }}.other_matching
      then {{ side_name(d, '') }} || ' counts by: ' || {{ d }}.matching || {{ side_name(d, 'other_') }} || ' by: ' || {{ d }}.other_matching
        || 'and no bridge between them is agreed.'
    when {{ d }}.verdict = 'within_state_only' and {{ d }}.basis = 'own_test'
      then {{ d }}.state || ' and ' || {{ d }}.other_state || ' give different tests with different cuts: shares at their levels say nothing of each other.'
    when {{ d }}.verdict = 'within_state_only' and {{ d }}.basis = 'state_relative'
      then 'Each value is a place among the students of its own state, ' || {{ d }}.state || ' or ' || {{ d }}.other_state
        || '; the states are not at the same level.'
    when {{ d }}.verdict = 'within_state_only'
      then 'One of the values cannot be put on the NAEP scale: its state''s distribution, or a NAEP result for the grade and year, is missing.'
    when {{ d }}.verdict = 'not_comparable_coverage' and ({{ d }}.has_course_test or {{ d }}.other_has_course_test)
      then 'Students in Algebra I sit another test than the grade''s in '
        || case when {{ d }}.has_course_test and {{ d }}.other_has_course_test and {{ d }}.state <> {{ d }}.other_state then {{ d }}.state || ' and ' || {{ d }}.other_state
             when {{ d }}.has_course_test then {{ d }}.state else {{ d }}.other_state end
        || {{ tested_or_enrolled(d, '') }}
        || case when {{ d }}.comparison in ('state', 'subgroups') then '' else {{ tested_or_enrolled(d, 'other_') }} end || '.'
    when {{ d }}.verdict = 'not_comparable_coverage'
      and ({{ d }}.participation is null or {{ d }}.other_participation is null or {{ d }}.participation_of_all is null or {{ d }}.other_participation_of_all is null)
      then 'It is not known how many of the students enrolled sat the test.'
    when {{ d }}.verdict = 'not_comparable_coverage'
      and {{ d }}.participation between {{ d }}.participation_low and {{ d }}.participation_high
      and {{ d }}.other_participation between {{ d }}.participation_low and {{ d }}.participation_high
      and {{ d }}.participation_of_all between {{ d }}.participation_low and {{ d }}.participation_high
      and {{ d }}.other_participation_of_all between {{ d }}.participation_low and {{ d }}.participation_high
      then 'In one of the states it is not known that 95 to 105 of 100 students enrolled sat the test.'
    -- The share of a group of students may rest on few of them; that of all students of a large grade does not.
    when {{ d }}.verdict = 'not_comparable_coverage' and {{ d }}.subgroup = 'all' and {{ d }}.n_tested >= {{ d }}.minimum_told and {{ d }}.other_n_tested >= {{ d }}.minimum_told
      and (
        {{ is_outside(d ~ '.participation_of_all', d ~ '.') }} or {{ is_outside(d ~ '.other_participation_of_all', d ~ '.') }}
      )
      then 'Of the students enrolled '
        || case
          when not {{ is_outside(d ~ '.other_participation_of_all', d ~ '.') }} or {{ d }}.comparison = 'subgroups'
            then {{ in_percent(d ~ '.participation_of_all') }} || ' sat the test in ' || {{ d }}.state || ', ' || {{ d }}.school_year
          when not {{ is_outside(d ~ '.participation_of_all', d ~ '.') }}
            then {{ in_percent(d ~ '.other_participation_of_all') }} || ' sat the test in ' || {{ d }}.other_state || ', ' || {{ d }}.other_school_year
          else {{ in_percent(d ~ '.participation_of_all') }} || ' sat the test in ' || {{ d }}.state || ', ' || {{ d }}.school_year || ', and '
            || {{ in_percent(d ~ '.other_participation_of_all') }} || ' in ' || {{ d }}.other_state || ', ' || {{ d }}.other_school_year
        end || '; 95 to 105 % are needed on both sides.'
    when {{ d }}.verdict = 'not_comparable_coverage'
      then 'Of all students enrolled, or of this group of them, fewer than 95 % or more than 105 % sat the test.'
    when {{ d }}.verdict = 'trend_break' and {{ differs(d ~ '.test', d ~ '.other_test') }}
      then 'The test changed between ' || {{ d }}.other_school_year || ' and ' || {{ d }}.school_year || '.'
    when {{ d }}.verdict = 'trend_break' and {{ differs(d ~ '.cut_version', d ~ '.other_cut_version') }}
      then 'The cuts between the levels changed between ' || {{ d }}.other_school_year || ' and ' || {{ d }}.school_year
        || ': shares at a level jump although students need not have changed.'
    when {{ d }}.verdict = 'trend_break'
      then 'The scale or the mode of the test changed between ' || {{ d }}.other_school_year || ' and ' || {{ d }}.school_year || '.'
    when {{ d }}.verdict = 'describe_only' and {{ d }}.basis = 'linked' and {{ d }}.is_across_years
      then 'A linked mean of one year less that of another holds the changes of two links; the position in the own state and NAEP show change.'
    when {{ d }}.verdict = 'describe_only' and {{ d }}.basis = 'linked'
      then 'Both districts have NAEP results of their own for this grade and year (OC7), which are the better numbers.'
    when {{ d }}.verdict = 'not_comparable_instrument' and {{ differs(d ~ '.instrument', d ~ '.other_instrument') }}
      then 'Different instruments: ' || {{ side_name(d, '') }} || ' used ' || coalesce({{ d }}.instrument, 'one that is not named') || ', '
        || {{ side_name(d, 'other_') }} || ' ' || coalesce({{ d }}.other_instrument, 'one that is not named') || '.'
    when {{ d }}.verdict = 'not_comparable_instrument' and {{ differs(d ~ '.administration', d ~ '.other_administration') }}
      then 'Asked at different times of the year: ' || coalesce({{ d }}.administration, 'not named') || ' and '
        || coalesce({{ d }}.other_administration, 'not named') || '.'
    when {{ d }}.verdict = 'not_comparable_instrument' and ({{ d }}.response_rate < {{ d }}.response_floor or {{ d }}.other_response_rate < {{ d }}.response_floor)
      then 'Of the people asked ' || coalesce({{ in_percent(d ~ '.response_rate') }}, 'an unknown share') || ' answered in '
        || {{ side_name(d, '') }} || ' and ' || coalesce({{ in_percent(d ~ '.other_response_rate') }}, 'an unknown share') || ' in '
        || {{ side_name(d, 'other_') }} || '; '
        || {{ in_percent(d ~ '.response_floor') }} || ' are needed.'
    when {{ d }}.verdict = 'not_comparable_instrument'
      and ({{ has_flag(d ~ '.flags', ['purposive_sample']) }} or {{ has_flag(d ~ '.other_flags', ['purposive_sample']) }})
      then 'The lessons were chosen on purpose and do not stand for all lessons.'
    when {{ d }}.verdict = 'not_comparable_instrument'
      and ({{ has_flag(d ~ '.flags', ['alpha']) }} or {{ has_flag(d ~ '.other_flags', ['alpha']) }})
      then 'The reliability of the scale is below .70 or not known.'
    when {{ d }}.verdict = 'not_comparable_instrument' then 'It is not known how many of the people asked answered.'
    when {{ d }}.verdict = 'too_close_to_call' and {{ d }}.is_census
      then 'Everybody is counted, and no difference was found.'
    when {{ d }}.verdict = 'directly_comparable' and {{ d }}.is_census
      then 'Everybody is counted: the difference is what it is, without sampling error.'
    when {{ d }}.verdict = 'too_close_to_call' and {{ d }}.n_in_family > 1
      then 'No difference detected, looking at ' || cast({{ d }}.n_in_family as varchar) || ' pairs at once.'
    else {{ v }}.meaning
  end
  || case
    when {{ d }}.comparison <> 'state' or not {{ v }}.is_comparable then ''
    when {{ d }}.has_course_test
      then ' Students in Algebra I sit another test and are in neither; direction unknown.'
    when {{ is_outside(d ~ '.participation', d ~ '.') }} or {{ is_outside(d ~ '.participation_of_all', d ~ '.') }} or {{ is_outside(d ~ '.state_participation', d ~ '.') }}
      then ' It is not known that 95 to 105 % of those enrolled sat the test, here and in the state; direction unknown.'
    else ''
  end
  -- Where a mark of one side alone could produce the sign, the sentence says so.
  || case
    when {{ d }}.verdict in ('directly_comparable', 'comparable_with_linking_error') and {{ d }}.basis in ('survey', 'observed', 'administrative')
      and ({{ has_flag(d ~ '.flags', one_sided_flags()) }} or {{ has_flag(d ~ '.other_flags', one_sided_flags()) }})
      then ' One of the values is marked (low response, closures or ratings that are missing), which alone could make the difference.'
    else ''
  end
{%- endmacro %}

{#- Marks that say who may be missing from a value. -#}
{% macro one_sided_flags() -%}
  {{ return(['low_response', 'closures', 'tools_differ', 'alignment_unrated']) }}
{%- endmacro %}

{#- What the data show of students who sat another test: how many sat the grade's, beside those enrolled or those of grade 6. -#}
{% macro tested_or_enrolled(d, side) -%}
  case
    when {{ d }}.subgroup <> 'all' or {{ d }}.{{ side }}n_tested < {{ d }}.minimum_told then ''
    -- Only where many are missing: of a grade that is nearly whole the rest could be counted from the words.
    when {{ d }}.{{ side }}has_course_test and {{ d }}.{{ side }}participation < {{ d }}.participation_low
      then '; in ' || {{ d }}.{{ side }}state || ', ' || {{ d }}.{{ side }}school_year || ', ' || {{ in_percent(d ~ '.' ~ side ~ 'participation') }}
        || ' of those enrolled sat the grade''s test'
    when {{ d }}.{{ side }}has_course_test and {{ d }}.{{ side }}participation is null and {{ d }}.{{ side }}n_tested_in_grade_6 > 0
      then '; in ' || {{ d }}.{{ side }}state || ', ' || {{ d }}.{{ side }}school_year || ', ' || cast({{ d }}.{{ side }}n_tested as varchar)
        || ' students sat the grade''s test and ' || cast({{ d }}.{{ side }}n_tested_in_grade_6 as varchar) || ' that of grade 6'
    else ''
  end
{%- endmacro %}

{#- True where two texts differ; two nulls do not. -#}
{% macro differs(one, other) -%}
  (coalesce({{ one }}, '-') <> coalesce({{ other }}, '-'))
{%- endmacro %}

{#- What would lift a verdict, where the verdict's own words would lead astray. -#}
{% macro remedy_of_verdict(d, v) -%}
  case
    when {{ d }}.verdict = 'too_close_to_call' and {{ d }}.is_census then 'Nothing is needed.'
    when {{ d }}.verdict = 'within_state_only' and {{ d }}.basis = 'state_relative'
      then 'Look at NAEP, at linked means where they exist, and at gaps, which do not depend on the test.'
    when {{ d }}.verdict = 'within_state_only' and {{ d }}.basis = 'linked'
      then 'The district sends its state''s distribution (state_level_distribution), and NAEP publishes a result for the year.'
    when {{ d }}.verdict = 'describe_only' and {{ d }}.basis = 'linked' and not {{ d }}.is_across_years
      then 'Look at the districts'' own NAEP results (OC7).'
    when {{ d }}.verdict = 'describe_only' and {{ d }}.basis = 'linked' then 'Look at the position in the own state, and at NAEP.'
    when {{ d }}.verdict = 'no_data' and 'u' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-'))
      then 'More people or schools behind the value, or a larger group.'
    when {{ d }}.verdict = 'no_data' and 'z' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-')) then 'Nothing: there is nothing to compare.'
    when {{ d }}.verdict = 'no_data' and 'x' in (coalesce({{ d }}.symbol, '-'), coalesce({{ d }}.other_symbol, '-'))
      then 'The missing counts are sent, or the missing results are published and entered.'
    else {{ v }}.remedy
  end
{%- endmacro %}

{#- Which side is meant: the district, or the year where one district's years are compared. -#}
{% macro side_name(d, side) -%}
  case
    when {{ d }}.comparison = 'years' then {{ d }}.{{ side }}school_year
    else coalesce({{ d }}.{{ side }}district_label, {{ d }}.{{ side }}district)
  end
{%- endmacro %}

"""Methods: how numbers are worked out and compared, each in plain words with an example in small numbers.

The numbers of the examples are worked out again by the tests.
"""

from __future__ import annotations

import polars as pl
import streamlit as st

from dashboards import release_data
from dashboards.components import protection, tables
from dashboards.components.words import plain
from pipelines.release.reader import Release

_READING_WIDTH = 860
_REVERSAL = pl.DataFrame(
    {
        "Grade 4 mathematics, 2019": ["Illinois", "New York"],
        "Proficient by the state's own test": ["33.5 %", "50.0 %"],
        "At NAEP Proficient": ["38.5 %", "36.9 %"],
        "NAEP mean": ["237.4", "236.7"],
    }
)
_SIGN = pl.DataFrame(
    {
        "Alabama, grade 4 reading": ["2005", "2007"],
        "Distance of the two groups' means, in NAEP points": ["32.0", "25.6"],
        "Distance of their shares at Proficient, in percentage points": ["23.9", "25.3"],
    }
)
_SOURCES = (
    "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American "
    "Statistical Association 22.",
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6.",
    "Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in Medicine 17.",
    "Ho, A. D., and Reardon, S. F. (2012). Estimating achievement gaps from test scores reported in ordinal “proficiency” "
    "categories. Journal of Educational and Behavioral Statistics 37.",
    "Reardon, S. F., Shear, B. R., Castellano, K. E., and Ho, A. D. (2017). Using heteroskedastic ordered probit models to "
    "recover moments of continuous test score distributions from coarsened data. Journal of Educational and Behavioral "
    "Statistics 42.",
    "Reardon, S. F., Kalogrides, D., and Ho, A. D. (2019). Validation methods for aggregate-level test scale linking. Journal of "
    "Educational and Behavioral Statistics.",
    "Results of 2019: the state assessments of Illinois and New York; National Assessment of Educational Progress (NAEP), "
    "mathematics, grade 4. Alabama: NAEP reading, grade 4, 2005 and 2007.",
)


def page(release: Release) -> None:
    """Draw the page. Raises NoRelease."""
    st.title("Methods", anchor=False)
    with st.container(width=_READING_WIDTH):
        st.markdown(
            "What stands behind the numbers and behind the words *higher*, *lower* and *no difference detected*. Every method "
            "has an example small enough to follow with a pocket calculator. The examples are about nobody in this release."
        )
        _what_counts(release)
        protection.section(release)
        _never_proficient(release)
        _verdicts(release)
        _many_pairs()
        _intervals()
        _position()
        _link(release)
        _gap(release)
        _evenness()
        st.subheader("Sources", anchor=False)
        st.markdown("\n".join(f"* {plain(source)}" for source in _SOURCES))


def _what_counts(release: Release) -> None:
    st.subheader("What counts", anchor=False)
    minimum = plain(str(release.manifest.get("minimum_n", "a set number of")))
    st.markdown(
        "* **Only certified files count.** A number stands on the delivery that the district signed last. *As of* is the date of "
        "the latest certification behind it.\n"
        f"* **Small groups are protected.** Numbers on fewer than {minimum} people are withheld, and others with them where they "
        "would give a withheld one away; a share close to 0 or 100 % is shown as a range. More below.\n"
        "* **Surveys** carry their response rate. A low one is marked and never hidden; below the floor nothing is compared.\n"
        "* **Schools that come and go** move a number by themselves. *Followed through all years* holds it to one set of "
        "schools.\n* **Shared axes** are drawn only where one thing was measured in one way; other panels have axes of their own "
        "and say why.\n* **Side by side is not compared.** Whether two districts or two years differ is said by a verdict, and "
        "by nothing else."
    )


def _never_proficient(release: Release) -> None:
    st.subheader("Why shares of proficient students are never compared across states", anchor=False)
    st.markdown(
        "Each state gives its own test and draws its own line for *proficient*. The line may be high in one state and low in the "
        "next. One national assessment, NAEP, is given in all of them:"
    )
    tables.show(_REVERSAL, "reversal", "Illinois and New York in 2019 by their own tests and by NAEP.", release.release_id)
    st.markdown(
        "By their own tests Illinois stands 16.5 points **below** New York. By the one test that both took it is not below at "
        "all. The 16.5 points are a difference of lines, not of students. So a share at a state's own line is read within one "
        "district, and over the years only while the test and its cuts (the scores at which one level ends and the next begins) "
        "stay."
    )


def _verdicts(release: Release) -> None:
    st.subheader("The verdict comes first", anchor=False)
    st.markdown(
        "Before anything is said of two values, rules are asked in a fixed order, and the **first one that applies decides**. "
        "Each gives a reason, and what would lift it. Only the last ones speak of higher or lower."
    )
    found = release_data.verdicts(release)
    if found.is_empty():
        st.markdown("This release holds no verdicts, so no page says that one district or year is higher or lower than another.")
        return
    shown = found.with_row_index("place", offset=1).select(
        pl.col("place").cast(pl.String).alias("Order"),
        pl.col("label").alias("Verdict"),
        pl.col("meaning").alias("What it means"),
        pl.col("remedy").alias("What would lift it"),
    )
    tables.show(shown, "verdicts", "The verdicts in the order of their rules, with what would lift each.", release.release_id)
    place = {verdict: order for order, verdict in enumerate(found["verdict"], 1)}
    st.markdown(
        "*Example.* Two districts of two states, shares of proficient students, one of them on a group of six students. The "
        f"small group is protected (rule {place.get('suppressed')}), so nothing else is asked, although their tests differ as "
        f"well. Were the group larger, rule {place.get('within_state_only')} would refuse.\n\n"
        "**No difference detected** is no finding that two districts are alike: a difference may be there that these numbers are "
        "too few to show. Where **everybody is counted** (all schools of a district, all its dollars) there is no sampling "
        "error: the difference is what it is, and no interval is printed."
    )


def _many_pairs() -> None:
    st.subheader("Many pairs at once (Holm)", anchor=False)
    st.markdown(
        "Six districts make 15 pairs. Suppose all six were truly equal, and each pair were called different whenever chance "
        "alone would bring such a difference in 5 of 100 cases. Then **about 37 of 100** such pages would call at least one pair "
        "different, wrongly: fifteen looks are fifteen chances to be fooled.\n\n"
        "Holm's rule keeps that at 5 of 100 for all pairs together. All pairs of one indicator, one breakdown and one year are "
        "put in the order of their p-values. A p-value says how often chance alone would bring a difference at least this large. "
        "The smallest must be below .05 divided by the number of pairs, the next below .05 divided by one fewer, and so on; at "
        "the first that fails all the rest fail too.\n\n"
        "*Example with three pairs*, p-values .004, .030 and .040. The first: .004 is below .05 / 3 = .0167, a difference. The "
        "second: .030 is not below .05 / 2 = .025, so no difference detected. The third falls with it, although .040 alone is "
        "below .05.\n\n"
        "This is done once, when a release is made. No filter on a page changes a verdict."
    )


def _intervals() -> None:
    st.subheader("Intervals", anchor=False)
    st.markdown(
        "A 95 % interval is made so that in 95 of 100 cases it holds the value that a far larger number of such students, "
        "teachers or answers would show.\n\n"
        "**Shares of people (Wilson).** 8 of 10 teachers: 80 %, interval 49.0 to 94.3 %. 0 of 12: 0 %, interval 0 to 24.2 %; a "
        "share of nothing is still uncertain, and the interval never leaves 0 to 100 %.\n\n"
        "**Survey answers (clustered).** People of one school answer alike, so 400 answers tell less than 400 separate ones. If "
        "60 % of 400 answer yes, separate answers would be uncertain by a standard error of 2.4 points (the standard error is "
        "how far such a share typically strays by chance). If the schools differ so much that it is 3.5 points, the answers are "
        "worth only 196 separate ones: 53.0 to 66.6 % instead of 55.1 to 64.7 %. With few schools it is widened further.\n\n"
        "**Differences of two shares (Newcombe).** Built from the Wilson intervals of both. 56 of 70 against 48 of 80: 80 less "
        "60 is 20 percentage points, interval 5.2 to 33.4."
    )


def _position() -> None:
    st.subheader("Position in the own state", anchor=False)
    st.markdown(
        "Where a district's students stand among all students of its state, on one test, in one grade and year. The unit is the "
        "**standard deviation (SD)** of the state's students: how far a student typically is from the state's mean. About two "
        "of three students are within one SD of it. 0 is the state's mean.\n\n"
        "Only the counts at the test's levels are needed. The state's counts say where its cuts lie on a bell-shaped curve; "
        "these cuts are then held fixed, and the mean and spread are looked for that make the district's own counts most "
        "likely.\n\n*Example with three levels.* In the state 30 % are below the first cut and 70 % below the second: on a bell "
        "curve with mean 0 and SD 1 the cuts lie at −.52 and +.52. In the district 40 % are below the first cut and 80 % below "
        "the second. A curve with mean −.28 and SD .96 gives just that: the district's mean is **.28 SD below its state's**.\n\n"
        "Whether a state draws its lines high or low does not matter, because both sides are cut by the same lines. What it says "
        "is bound to the state: a place in one state says nothing of a place in another. The method follows Reardon, Shear, "
        "Castellano and Ho (2017)."
    )


def _link(release: Release) -> None:
    st.subheader("The link to NAEP", anchor=False)
    thresholds = {row["threshold_id"]: row for row in release_data.thresholds(release).to_dicts()}
    rmse = thresholds.get("published_linking_rmse", {}).get("value", 4.77)
    st.markdown(
        "States stand on one scale in NAEP, so a place in the state can be put on that scale:\n\n"
        "`linked mean = NAEP mean of the state + (position / √reliability) × NAEP SD of the state`\n\n"
        "*Reliability* is the share of the differences between scores on the state's test that would come again if it were sat "
        "again; the rest is luck of the day. Luck spreads students out and makes a district's distance from the mean look "
        "smaller in SD than it is, so it is divided out.\n\n"
        "*Example.* Position −.30, reliability .90, the state's NAEP mean 235 and SD 31: 235 + (−.30 / .949) × 31 = 235 − 9.8 = "
        "**225.2**. The errors of the four numbers together make a standard error of .98 points. But two different tests of "
        "mathematics do not measure quite one thing. That **error of linking** has a typical size of about 4 points; with it the "
        "standard error is 4.1. Without it the interval would be four times too narrow.\n\n"
        "Grades 5 to 7 lie on a straight line between NAEP's grades 4 and 8, and a year between two NAEP years on their mean; "
        "grade 3, years past the last published NAEP and the years from 2019 to 2022 are never bridged. Linked means of one "
        "district in two years are not compared, and where both districts have NAEP results of their own, those are used.\n\n"
        f"**Back-test.** Linked means are set beside NAEP's own district means wherever both exist. Two numbers sum up the "
        "misses: the *bias* is their mean (too high or too low on the whole), the *RMSE* their typical size, whichever way. "
        "Misses of +3, −4 and +1 points: bias 0.0, RMSE 2.9. In a published check of large urban districts the bias was +2.52 "
        f"and the RMSE 4.77 points. Until a release has enough cells of its own, intervals hold the published {rmse:g} points."
    )
    st.page_link("app_pages/back_test.py", label="The back-test of this release", icon=":material/rule:")


def _gap(release: Release) -> None:
    st.subheader("Gaps (V)", anchor=False)
    st.markdown(
        "How far two groups of students stand apart. Take one student of each group by chance: how often does the first score "
        "higher? The gap V is the distance, in SD, of two equally wide bell curves for which it is just as often. It is 0 where "
        "it happens in half of all cases.\n\n"
        "*Example.* One group has mean .5 and SD 1, the other mean 0 and SD 1.2. A student of the first scores higher in 62.6 of "
        "100 cases; **V = .5 / √((1² + 1.2²) / 2) = .453**.\n\n"
        "V depends on who stands above whom and on nothing else: stretching the scale or moving a cut leaves it alone. The "
        "difference of two shares of proficient students does depend on the line, and can even go the other way:"
    )
    tables.show(_SIGN, "sign", "Alabama: the means came nearer while the shares at Proficient moved apart.", release.release_id)
    st.markdown(
        "The groups' means **came nearer** by 6.4 points while the gap in shares of proficient students **grew** by 1.4 (1.45 "
        "before rounding). The shares moved because more students of one group happened to stand near the line. The method is "
        "that of Ho and Reardon (2012)."
    )


def _evenness() -> None:
    st.subheader("Evenness between schools", anchor=False)
    st.markdown(
        "Of all the differences between a district's students, how much lies between schools? Differences are counted as "
        "*variance*, the mean of the squared distances from the mean. 0 % would mean that every school has one and the same "
        "mean, 100 % that all students of a school score alike.\n\n"
        "*Example.* Two schools with as many students each, means −.3 and +.3, SD 1 in both. Between the schools: .3² = .09. "
        "Within: 1. The share is .09 / 1.09 = **8.3 %**.\n\n"
        "It is estimated from the counts at the levels of every school (Reardon, Shear, Castellano and Ho 2017), and what small "
        "schools differ by chance is taken off. It describes one district: selective schools or schools of few grades raise it "
        "without any teaching being different, so it is never compared across districts."
    )


page(release_data.current_release())

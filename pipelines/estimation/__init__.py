"""What can be said of groups of students whose scores are seen only as counts in ordered levels, and how surely.

Here belong estimators and their standard errors: means and spreads with unknown cuts (`fit_hetop`) and with published ones
(`fit_fixed_cuts`), gaps (`gap_v`), the link to NAEP (`link_to_naep`), intervals of shares, adjustment for many comparisons. All
are functions of numbers alone. Where counts come from, which of them may be shown, which two estimates may be compared, and
every rule of a single district or test do not belong here.
"""

from __future__ import annotations

from pipelines.estimation.fixed_cuts import FixedCutsFit, fit_fixed_cuts
from pipelines.estimation.gaps import GapFit, gap_v, se_of_v_full_scores, v_from_moments
from pipelines.estimation.hetop import HetopFit, StandardizedFit, fit_hetop
from pipelines.estimation.inputs import EstimationFailed
from pipelines.estimation.intervals import Bounds, ClusteredShare, clustered_interval, newcombe_difference, wilson_interval
from pipelines.estimation.linking import (
    LinkedMean,
    NaepMoments,
    SdFromShares,
    interpolate_grades,
    interpolate_years,
    link_to_naep,
    naep_sd_from_shares,
    naep_years_for,
    variance_of_linked_difference,
)
from pipelines.estimation.multiplicity import benjamini_hochberg_adjusted, holm_adjusted, holm_critical_z, two_sided_p

__all__ = [
    "Bounds",
    "ClusteredShare",
    "EstimationFailed",
    "FixedCutsFit",
    "GapFit",
    "HetopFit",
    "LinkedMean",
    "NaepMoments",
    "SdFromShares",
    "StandardizedFit",
    "benjamini_hochberg_adjusted",
    "clustered_interval",
    "fit_fixed_cuts",
    "fit_hetop",
    "gap_v",
    "holm_adjusted",
    "holm_critical_z",
    "interpolate_grades",
    "interpolate_years",
    "link_to_naep",
    "naep_sd_from_shares",
    "naep_years_for",
    "newcombe_difference",
    "se_of_v_full_scores",
    "two_sided_p",
    "v_from_moments",
    "variance_of_linked_difference",
    "wilson_interval",
]

"""Contract results as asset checks on the extracts.

`contract_structure`, `contract_validity`, `contract_plausibility` and `contract_whole_file` block: dbt does not run over rows
that did not pass, or whose unusual findings nobody acknowledged. `great_expectations` runs
after the release, because importing Great Expectations takes longer than everything else together; where its counts differ
from ours the run fails, and the blocking checks refuse the next build until the record agrees.
"""

import logging
from collections.abc import Iterator

import dagster as dg

from pipelines import flow
from pipelines.contracts.contract import extract_names
from pipelines.orchestration.dbt_assets import RELEASE, SUBMISSIONS, extract_key
from pipelines.settings import Settings

PROGRESS = logging.getLogger("nmip")
CHECK_OF_TIER = {
    "S": "contract_structure",
    "V": "contract_validity",
    "Q": "contract_plausibility",
    "M": "contract_whole_file",
}


def contract_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """Blocking checks: everything in force passed its rules, or was acknowledged, and is what the lake holds."""
    specs = [
        dg.AssetCheckSpec(name, asset=extract_key(extract), blocking=True, additional_deps=[SUBMISSIONS])
        for extract in extract_names(settings.contracts)
        for name in CHECK_OF_TIER.values()
    ]

    @dg.multi_asset_check(name="contract_checks", specs=specs)
    def contract() -> Iterator[dg.AssetCheckResult]:
        for result in flow.contract_results(flow.Home(settings)):
            yield dg.AssetCheckResult(
                asset_key=extract_key(result.extract),
                check_name=CHECK_OF_TIER[result.tier],
                passed=result.is_held,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"submissions_in_force": result.n_submissions, "problems": list(result.problems)},
            )

    return contract


def record_checks(settings: Settings) -> dg.AssetChecksDefinition:
    """Great Expectations over what is newly in force, for the record."""
    specs = [
        dg.AssetCheckSpec("great_expectations", asset=extract_key(extract), additional_deps=[RELEASE])
        for extract in extract_names(settings.contracts)
    ]

    @dg.multi_asset_check(name="great_expectations_record", specs=specs)
    def record() -> Iterator[dg.AssetCheckResult]:
        home = flow.Home(settings)
        problems: dict[str, list[str]] = {extract: [] for extract in extract_names(settings.contracts)}
        recorded = dict.fromkeys(problems, 0)
        waiting = flow.unrecorded(home)
        for position, (submission, kept) in enumerate(flow.record_validations(home, waiting), start=1):
            PROGRESS.info(f"Great Expectations {position}/{len(waiting)}: {submission.key.submission_id}")
            recorded[submission.key.extract] += 1
            problems[submission.key.extract] += [f"{submission.key.submission_id}: {d}" for d in kept["disagreements"]]
        for extract, said in problems.items():
            yield dg.AssetCheckResult(
                asset_key=extract_key(extract),
                check_name="great_expectations",
                passed=not said,
                severity=dg.AssetCheckSeverity.ERROR,
                metadata={"submissions_recorded": recorded[extract], "disagreements": said},
            )
        if any(problems.values()):
            raise dg.Failure("Great Expectations and NMIP disagree about the number of findings; see the checks.")

    return record

"""The synthetic network through the whole flow: released values against the truth that the generator kept beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.settings import PROJECT_ROOT

SCALE = "0.1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("synthetic") / "home"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "demo", "--scale", SCALE, "--no-serve"],
        env={**os.environ, "NMIP_HOME": str(home), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def values(home: Path) -> pl.DataFrame:
    pointer = json.loads((home / "releases/current.json").read_text())
    return pl.read_parquet(home / pointer["path"] / "indicator_values.parquet")


@pytest.fixture(scope="module")
def truth(home: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((home / "synthetic/truth.json").read_text())
    return loaded


def _shown(values: pl.DataFrame, indicator_id: str) -> pl.DataFrame:
    return values.filter(pl.col("indicator_id") == indicator_id, pl.col("symbol").is_null())


def test_every_file_is_certified_and_used_whole(home: Path) -> None:
    pointer = json.loads((home / "releases/current.json").read_text())
    submissions = pl.read_parquet(home / pointer["path"] / "submissions.parquet")
    assert submissions.height == 6 * 3 * 3
    assert submissions["state"].unique().to_list() == ["certified"]
    assert (submissions["lines_in"] == submissions["lines_used"]).all()
    manifest = json.loads((home / pointer["path"] / "manifest.json").read_text())
    assert manifest["kind"] == "synthetic"


def test_level_shares_are_the_known_ones(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (a["district"], a["school_year"], a["grade"], a["subgroup"], f"level_{level}"): n
        for a in truth["assessment"]
        for level, n in enumerate(a["n_levels_delivered"], start=1)
    }
    rows = _shown(values, "OC4").filter(pl.col("category") != "proficient_or_above").to_dicts()
    assert len(rows) > 0.5 * len(known)
    for row in rows:
        assert row["numerator"] == known[row["district"], row["school_year"], row["grade"], row["subgroup"], row["category"]]
        assert row["lower"] <= row["value"] <= row["upper"]


def test_participation_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {(a["district"], a["school_year"], a["grade"], a["subgroup"]): a for a in truth["assessment"]}
    rows = _shown(values, "OC9").to_dicts()
    assert len(rows) > 0.5 * len(known)
    for row in rows:
        cell = known[row["district"], row["school_year"], row["grade"], row["subgroup"]]
        assert (row["numerator"], row["denominator"]) == (cell["n_tested"], cell["n_enrolled"])


def test_materials_coverage_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (m["district"], m["school_year"], m["course"], m["subgroup"], status): n
        for m in truth["materials_coverage"]
        if m["scope"] == "in_scope"
        for status, n in m["n_students_by_review_status"].items()
    }
    rows = _shown(values, "CM1").to_dicts()
    assert len(rows) > 0.3 * len(known)
    for row in rows:
        assert row["numerator"] == known[row["district"], row["school_year"], row["course"], row["subgroup"], row["category"]]


def test_one_core_title_is_the_known_one(values: pl.DataFrame, truth: dict[str, Any]) -> None:
    known = {
        (m["district"], m["school_year"], m["course"]): (m["n_schools_with_one"], m["n_schools"])
        for m in truth["one_core_title"]
        if m["scope"] == "in_scope"
    }
    rows = _shown(values, "CM2").to_dicts()
    assert {row["district"] for row in rows} == {m["district"] for m in truth["one_core_title"]}
    for row in rows:
        assert (row["numerator"], row["denominator"]) == known[row["district"], row["school_year"], row["course"]]


def test_no_small_group_is_in_the_release(values: pl.DataFrame) -> None:
    shown = values.filter(pl.col("symbol").is_null())
    assert shown.filter(pl.col("n") < 10).is_empty()
    people = shown.filter(pl.col("indicator_id") != "CM2")
    rest = people["denominator"] - people["numerator"]
    for count in (people["numerator"], rest):
        assert not ((count > 0) & (count < 10)).any()
    hidden = values.filter(pl.col("symbol").is_not_null())
    assert hidden.select(pl.col("numerator", "denominator", "value", "lower", "upper", "n").is_null().all()).row(0) == (True,) * 6

"""The pages of facilitators: briefings, and what would make a comparison hold."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pptx
import pytest

from dashboards import release_data
from pipelines import flow
from pipelines.briefing.content import SECTIONS
from pipelines.release.reader import read_current
from pipelines.settings import Settings
from tests import release_fixture
from tests.dashboards.test_pages import open_page, opened, text_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("NMIP_HOME", str(tmp_path))
    release_data._answer.clear()
    release_fixture.write_release(tmp_path)
    yield tmp_path
    release_data._answer.clear()


def test_a_briefing_is_made_for_the_chosen_convening_and_parts(home: Path) -> None:
    app = open_page("briefings", convening="2025", parts="challenges")
    assert app.selectbox(key="choice.convening").value == "2025"
    assert app.multiselect[0].value == ["challenges"]
    names = [button.label for button in app.get("download_button")]
    assert names == ["Slides to edit (PPTX)", "A page to send (HTML)", "A print (PDF)"]
    app.multiselect[0].set_value(["challenges", "data"]).run()
    assert app.query_params["parts"] in ("challenges,data", ["challenges,data"])
    assert not app.exception


def test_an_unknown_convening_or_part_in_the_address_is_passed_over(home: Path) -> None:
    app = open_page("briefings", convening="1999", parts="rankings,data")
    assert app.selectbox(key="choice.convening").value == "2025"
    assert app.multiselect[0].value == ["data"]
    assert "which is not to be had here" in text_of(app)


def test_the_page_and_the_command_line_make_the_same_bytes(home: Path) -> None:
    from dashboards.app_pages import briefings

    release = read_current(home)
    shown = briefings._built.__wrapped__(release.release_id, str(release.folder), "2025", tuple(SECTIONS))
    keys = flow.convening_briefing(flow.Home(Settings.from_environment()), "2025")
    assert {Path(key).name: (home / key).read_bytes() for key in keys} == shown
    deck = pptx.Presentation(io.BytesIO(shown["briefing.pptx"]))
    assert any("Second annual convening" in slide.shapes.title.text_frame.text for slide in deck.slides)


def test_a_release_of_the_time_before_briefings_says_so(home: Path) -> None:
    release_fixture.write_release(home, "r-2025-10-07-001", variant="empty")
    assert "names no convening" in text_of(open_page("briefings"))


def test_remedies_count_what_they_unlock(home: Path) -> None:
    """Counted again from the table of comparisons, in another way than the page's query."""
    release = read_current(home)
    pairs = pl.read_parquet(release.table_path("comparisons")).filter(comparison="districts")
    verdicts = pl.read_parquet(release.table_path("verdicts")).filter(~pl.col("is_comparable"))["verdict"].to_list()
    left_out = ["suppressed", "describe_only", "no_data", "not_a_pair"]
    refused = pairs.filter(pl.col("verdict").is_in(verdicts) & ~pl.col("verdict").is_in(left_out))
    found = release_data.remedies(release)
    assert found["n_pairs"].sum() == refused.height > 0
    assert found["n_pairs"].to_list() == sorted(found["n_pairs"].to_list(), reverse=True)
    of_one = release_data.remedies(release, district="houston")
    with_houston = refused.filter((pl.col("district") == "houston") | (pl.col("other_district") == "houston"))
    assert of_one["n_pairs"].sum() == with_houston.height
    assert "Houston" in of_one["districts"][0]


def test_tests_of_different_states_are_never_said_to_be_lifted(home: Path) -> None:
    said = text_of(opened(open_page("comparable"), "remedies"))
    assert "Would unlock" in said
    lifted = said.split("What can be said instead")[0]
    of_states = release_data.remedies(read_current(home)).filter(verdict="within_state_only")
    assert of_states.height and all(remedy not in lifted for remedy in of_states["remedy"])

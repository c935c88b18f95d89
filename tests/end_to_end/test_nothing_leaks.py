"""Numbers of small groups stay where their district's data are: nothing else that a run leaves behind says them.

Two districts with unmistakable small groups go the whole way in this process, with a webhook listening. Then everything is
searched that leaves the home or that somebody else may see. First the search is shown to find what is planted where it may be.
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import streamlit as st
from click.testing import CliRunner
from dagster._serdes import serialize_value
from google.protobuf import text_format  # type: ignore[import-untyped]
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards import release_data
from pipelines import flow
from pipelines.cli import nmip
from pipelines.intake import inbox
from pipelines.intake.submission import all_submissions
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.storage import Storage, canonical_json
from tests.deliveries import drop
from tests.end_to_end.planted_cells import (
    PLANTS,
    SMALL,
    YEAR,
    Needles,
    Plant,
    derived,
    directory,
    faulty_levels,
    is_planted,
    levels,
)

# Where unprotected numbers may be: the operator's own places. Every other file below the home is searched.
PRIVATE = ("inbox/", "submissions/", "lake/", "work/exchange/", "work/warehouse/", "work/refused/")
DASHBOARD = sorted(path.stem for path in (PROJECT_ROOT / "dashboards/app_pages").glob("*.py") if path.stem != "__init__")
SUBMIT = ("submit_file", "my_submissions", "submission", "dictionary", "verify_receipt")
HEADERLESS = "headerless.csv"


@dataclass
class Ran:
    """A home after its runs, and what was said aloud meanwhile."""

    home: flow.Home
    said: str = ""
    logged: io.StringIO = field(default_factory=io.StringIO)
    posted: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.home.settings.home

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file below the home by its name there."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.folder).as_posix(), path


def _listen(posted: list[str]) -> HTTPServer:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _deliver(inbox_folder: Path) -> None:
    for plant in PLANTS:
        place = (plant.district, "assessment_levels", YEAR)
        drop(inbox_folder, plant.district, "school_directory", YEAR, "directory.csv", directory(plant))
        drop(inbox_folder, *place, "a_levels.csv", levels(plant))
        drop(inbox_folder, *place, "b_faulty.csv", faulty_levels(plant))
        # Without its header a file's columns are called by its first values.
        first, *rows = sorted(levels(plant).decode().splitlines()[1:], key=lambda row: plant.school not in row)
        drop(inbox_folder, *place, HEADERLESS, "\n".join([first, *rows, ""]).encode())


def _release_again_without_some(home: flow.Home) -> None:
    """A second release from the same warehouse, without one grade of one district and the small group of the other."""
    storage, (one, other) = Storage(home.settings.exchange), PLANTS
    kept = {}
    for name in ("fct_indicator_values", "fct_comparisons"):
        path = storage.path(f"{name}.parquet")
        kept[path] = pl.read_parquet(path)
        sides = [prefix for prefix in ("", "other_") if f"{prefix}district" in kept[path].columns]
        is_gone = pl.any_horizontal(
            pl.col(f"{side}district").eq_missing(pl.lit(of.district)) & where
            for side in sides
            for of, where in ((one, pl.col("grade") == "3"), (other, pl.col("subgroup") == SMALL))
        )
        kept[path].filter(~is_gone.fill_null(value=False)).write_parquet(path)
    built_from = storage.read_json(flow.BUILT_FROM)
    storage.write(flow.BUILT_FROM, canonical_json({**built_from, "fingerprint": "2" * 64}))
    flow.release(home, logging.getLogger("nmip").info)
    flow.brief(home, logging.getLogger("nmip").info)
    for path, table in kept.items():
        table.write_parquet(path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("leaks") / "home"
        patch.setattr(inbox, "SETTLE_SECONDS", 0.0)
        for name in ("NMIP_WORK", "NMIP_DISTRICTS", "NMIP_EMBARGO_UNTIL", "NMIP_MINIMUM_N"):
            patch.delenv(name, raising=False)
        patch.setenv("NMIP_HOME", str(folder))
        made = Ran(flow.Home(Settings.from_environment({"NMIP_HOME": str(folder)})))
        server = _listen(made.posted)
        patch.setenv("NMIP_WEBHOOK", f"http://127.0.0.1:{server.server_port}/")
        listening, loggers = logging.StreamHandler(made.logged), [logging.getLogger(name) for name in (None, "nmip", "dagster")]
        for logger in loggers:
            logger.addHandler(listening)
        try:
            _deliver(made.home.inbox)
            done = CliRunner().invoke(nmip, ["run"])
            assert done.exit_code == 0, done.output
            loggers[1].addHandler(listening)
            _release_again_without_some(made.home)
            made.said = done.output
            yield made
        finally:
            for logger in loggers:
                logger.removeHandler(listening)
            logging.getLogger("nmip").handlers = []
            server.shutdown()
            server.server_close()


@pytest.fixture(scope="module")
def needles(ran: Ran) -> dict[str, Needles]:
    """What is planted, by district."""
    marts = pl.read_parquet(ran.folder / "work/exchange/fct_indicator_values.parquet")
    made = {plant.district: Needles(plant, derived(marts, plant)) for plant in PLANTS}
    assert all(len(of.numbers) > 20 for of in made.values())
    return made


def _found_in_text(needles: dict[str, Needles], text: str) -> list[str]:
    return [said for of in needles.values() for said in of.in_text(text)]


# --- the search finds what is there ---


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.district)
def test_what_is_planted_is_found_where_it_may_be(ran: Ran, needles: dict[str, Needles], plant: Plant) -> None:
    places = [f"{own}/{plant.district}/" for own in ("submissions", "inbox", "outbox")]
    places += ["lake/", "work/exchange/fct_indicator_values"]
    names = {name: needles[plant.district].in_file(path) for name, path in ran.files() if name.startswith(tuple(places))}
    for place in places:
        assert any(found for name, found in names.items() if name.startswith(place)), place
    [(name, derived_numbers)] = [(name, found) for name, found in names.items() if "fct_indicator_values" in name]
    assert any(said.startswith("value: ") for said in derived_numbers), name
    assert any(said.startswith("lower: ") for said in derived_numbers)
    assert f"numerator: {float(plant.n_all_but_few)}" in derived_numbers


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.district)
def test_what_is_planted_is_found_however_it_is_written(tmp_path: Path, needles: dict[str, Needles], plant: Plant) -> None:
    of, n, x = needles[plant.district], sum(plant.small), plant.small[0]
    rest, size = plant.n_all_but_few, sum(plant.few_below)
    spelled = [
        f"{x} of {n}",
        f"{x}/{n}",
        f"{x}\u202fof\u00a0{n}",
        str(x / n),
        f"{100 * x / n:.1f} %",
        f"{100 * x / n:.2f}\u00a0%",
    ]
    spelled += [f"{rest}", f"{rest:,}", f"{rest} of {size}", f"{rest:,} of {size:,}", str(rest / size), str(100 * x / n)]
    spelled += [plant.school, plant.school.lower(), f"{plant.few_below[0]} of {size:,}"]
    for text in spelled:
        assert of.in_text(f'{{"said": "{text}"}}'), text
        assert of.in_table(pl.DataFrame({"said": [text]})), text
        assert of.in_table(pl.DataFrame({"said": [[text]]})), text
    for number in (x / n, 100 * x / n, float(rest), rest):
        assert of.in_table(pl.DataFrame({"said": [number]})), number
    for other in (f"{x} of {n + 1}", f"{10 * rest}", f"1{rest}", f"0.{rest}", f"{x}{n}"):
        assert not of.in_text(f"It says {other}."), other
    pl.DataFrame({"said": [x / n]}).write_parquet(tmp_path / "t.parquet")
    assert of.in_file(tmp_path / "t.parquet")


# --- and nowhere else ---


def test_no_file_that_others_may_see_holds_it(ran: Ran, needles: dict[str, Needles]) -> None:
    """Releases, announcements, briefings, Dagster's databases and logs, dbt's logs, the outbox of another district, and what
    ever else comes to lie below a home.
    """
    searched = set()
    for name, path in ran.files():
        if name.startswith(PRIVATE):
            continue
        searched.add(name.split("/")[0] if not name.startswith("work/") else "/".join(name.split("/")[:2]))
        for district, of in needles.items():
            if not name.startswith(f"outbox/{district}/"):
                assert not of.in_file(path), (name, district)
    assert {"releases", "announcements", "briefings", "outbox", "work/dagster", "work/dbt"} <= searched


def test_the_planted_cells_are_hidden_in_every_release(ran: Ran) -> None:
    folders = sorted(path.parent for path in ran.folder.glob("releases/*/manifest.json"))
    assert len(folders) == 2
    for plant in PLANTS:
        few = ["level_1", "level_2", "proficient_or_above"]
        is_small = (pl.col("subgroup") == SMALL) & (pl.col("grade") == "4")
        values = pl.read_parquet(folders[0] / "indicator_values.parquet").filter(indicator_id="OC4", district=plant.district)
        small = values.filter(is_small)
        large = values.filter(pl.col("category").is_in(few), subgroup="english_learner", grade="5")
        assert small.height >= 5 and set(small["symbol"]) == {"c"}
        assert large.height >= 3 and set(large["symbol"]) <= {"c", "r"}
        for name in ("numerator", "value", "lower", "upper", "standard_error"):
            assert small[name].null_count() == small.height and large[name].null_count() == large.height, name
        for folder in folders:
            shown = pl.read_parquet(folder / "indicator_values.parquet")
            assert shown.filter(is_planted(plant), pl.col("numerator").is_not_null()).is_empty(), folder.name


def test_what_is_said_aloud_holds_nothing_of_it(ran: Ran, needles: dict[str, Needles]) -> None:
    """The terminal of the run, Python's log records, and every command that tells of submissions and releases."""
    ids = sorted(path.parent.name for path in ran.folder.glob("releases/*/manifest.json"))
    commands = [
        ["status"],
        ["status", "--json"],
        ["release", "list"],
        ["release", "show"],
        ["release", "show", "--json"],
        ["release", "diff", *ids],
        ["release", "diff", *ids, "--json"],
        ["release", "audit", ids[0], "--json"],
    ]
    said = {"nmip run": ran.said, "log records": ran.logged.getvalue()}
    for command in commands:
        done = CliRunner().invoke(nmip, command)
        assert done.exit_code == 0, done.output
        said[" ".join(command)] = done.output
    for name, text in said.items():
        assert text, name
        assert not _found_in_text(needles, text), name


def test_the_webhook_is_told_nothing_of_it(ran: Ran, needles: dict[str, Needles]) -> None:
    told = [json.loads(text) for text in ran.posted]
    assert {entry["state"] for entry in told} == {"certified", "corrections_needed", "unreadable"}
    assert len(told) == len(all_submissions(ran.home.store)) == 4 * len(PLANTS)
    for text in ran.posted:
        assert not _found_in_text(needles, text), text


def test_what_a_sender_calls_a_file_is_not_told_to_the_webhook(ran: Ran) -> None:
    """Names of files and of sheets are words of the sender's, who may write into them whatever stands in the file."""
    assert all(HEADERLESS not in text for text in ran.posted)
    assert any(HEADERLESS in (path.read_text()) for name, path in ran.files() if name.endswith("/result.json"))


def test_dagster_is_told_nothing_of_it(ran: Ran, needles: dict[str, Needles]) -> None:
    """Through its own interface: every event of every run with its metadata, and what it captured of the processes."""
    kinds, n_entries = set(), 0
    with dg.DagsterInstance.get() as instance:
        for run in instance.get_runs():
            for entry in instance.all_logs(run.run_id):
                n_entries += 1
                if entry.dagster_event is not None:
                    kinds.add(entry.dagster_event.event_type_value)
                text = f"{entry.user_message}\n{serialize_value(entry)}"
                assert not _found_in_text(needles, text), entry.user_message
            assert not _found_in_text(needles, f"{run.tags} {serialize_value(run)}")
    assert {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_SUCCESS"} <= kinds
    assert n_entries > 300


def test_a_district_does_not_see_the_other_on_the_command_line(
    ran: Ran, needles: dict[str, Needles], monkeypatch: pytest.MonkeyPatch
) -> None:
    for plant, other in (PLANTS, PLANTS[::-1]):
        monkeypatch.setenv("NMIP_DISTRICTS", other.district)
        for submission in all_submissions(ran.home.store):
            if submission.key.district == plant.district:
                done = CliRunner().invoke(nmip, ["findings", submission.key.submission_id])
                assert done.exit_code != 0
                assert not needles[plant.district].in_text(done.output)
        said = CliRunner().invoke(nmip, ["status", "--json"]).output
        assert other.district in said and f"{plant.district}/" not in said


# --- pages ---


def _everything_on(app: AppTest, of: Needles) -> list[str]:
    """What a page holds of what is planted: in the words of any element, in tables, and in the data of charts."""
    assert not app.exception, [problem.message for problem in app.exception]
    found, waiting = [], [app._tree]
    while waiting:
        block: Any = waiting.pop()
        waiting += list(getattr(block, "children", {}).values())
        if getattr(block, "proto", None) is not None and not getattr(block, "children", {}):
            found += of.in_text(text_format.MessageToString(block.proto, as_utf8=True))
    for table in app.table:
        found += of.in_table(pl.from_pandas(table.value))
    for chart in app.get("vega_lite_chart"):
        for part in chart.proto.datasets:
            found += of.in_table(pl.read_ipc_stream(part.data.data))
    return found


def _open(app_file: str, page: str | None, **address: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT_ROOT / "dashboards" / app_file), default_timeout=120)
    app.query_params.update(address)
    app.run()
    if page is not None:
        app.switch_page(page)
        app.query_params.update(address)
        app.run()
    return app


@pytest.mark.parametrize("page", DASHBOARD)
def test_no_page_of_the_dashboard_shows_it(ran: Ran, needles: dict[str, Needles], page: str) -> None:
    release_data._answer.clear()
    addresses: list[dict[str, str]] = [{}]
    if page == "outcomes":
        addresses += [{"subgroup": SMALL, "grade": "4"}, {"subgroup": "english_learner", "grade": "5"}]
        addresses = [{"indicator": "OC4", "focal": PLANTS[0].district, **address} for address in addresses]
    if page == "district_profile":
        addresses = [{"district": plant.district} for plant in PLANTS]
    for address in addresses:
        app = _open("app.py", None if page == "overview" else f"app_pages/{page}.py", **address)
        assert not [said for of in needles.values() for said in _everything_on(app, of)], address
        for name in [key for key in app.session_state._state.filtered_state if str(key).startswith("open.")]:
            app.session_state[name] = True
        app.run()
        assert not [said for of in needles.values() for said in _everything_on(app, of)], address


@pytest.fixture
def on_own_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: None))
    yield
    config.set_option("server.address", before)


@pytest.mark.usefixtures("on_own_machine")
@pytest.mark.parametrize("page", SUBMIT)
def test_the_submit_pages_show_a_district_its_own_and_never_the_other(
    ran: Ran, needles: dict[str, Needles], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    one, other = PLANTS
    monkeypatch.setenv("NMIP_USER", "hana")
    monkeypatch.setenv("NMIP_DISTRICTS", other.district)
    faulty = {s.key.district: s.key.submission_id for s in all_submissions(ran.home.store) if s.state == "corrections_needed"}
    app_page = None if page == "submit_file" else f"submit_pages/{page}.py"
    for submission_id in faulty.values() if page == "submission" else [""]:
        address = {"id": submission_id} if submission_id else {}
        app = _open("submit.py", app_page, **address)
        assert not _everything_on(app, needles[one.district])
        if submission_id == faulty[other.district]:
            assert _everything_on(app, needles[other.district])

"""The dashboard in a real browser: drawn charts, downloads, narrow windows, new releases, and no request to anywhere else."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.release_fixture import write_release

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGES = (
    "",
    "size_and_scale",
    "materials",
    "materials?indicator=CM3",
    "educator_capacity",
    "leader_capacity?indicator=LC8",
    "mindset?indicator=MM1",
    "materials?indicator=CM1&course=3&focal=chicago",
    "outcomes?indicator=OC4",
    "outcomes?indicator=OC5&focal=miami_dade&grade=4",
    "outcomes?indicator=OC6&grade=4&year=2023-24",
    "outcomes?indicator=OC8&focal=chicago",
    "methods",
    "back_test",
    "programmes",
    "programmes?indicator=PR2",
    "district_profile?district=houston",
    "data_quality",
    "definitions",
)
PATIENCE = 30_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"There is no browser at {CHROMIUM}, and CI must test the dashboard in one.")
        pytest.skip(f"There is no browser at {CHROMIUM}: the dashboard was not tested in one.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A dashboard of its own on a free port of this machine, ended by its process id."""
    write_release(home, "r-1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboards" / "app.py")]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    environment = {**os.environ, "NMIP_HOME": str(home)}
    log = home / "dashboard.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], cwd=PROJECT, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_healthy(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(f"{base}/_stcore/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The dashboard did not start: {log.read_text()}")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def visit(page: Any, url: str) -> None:
    page.goto(url)
    page.get_by_text("Release r-").wait_for()


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_its_window_and_asks_nobody_else(page: Any, address: str, name: str, width: int) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, f"{address}/{name}")
    assert page.locator("h1").count() == 1
    too_wide = (
        "(() => { const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth })()"
    )
    assert page.evaluate(too_wide) <= 0
    assert page.get_by_test_id("stException").count() == 0
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]


@pytest.mark.parametrize(
    "name, n_charts",
    [
        ("materials?indicator=CM1", 10),
        ("outcomes?indicator=OC4", 10),
        ("size_and_scale?indicator=SS1&schools=school_level", 10),
        ("leader_capacity?indicator=LC8", 10),
        ("programmes", 3),
        ("outcomes?indicator=OC5&grade=4", 5),
        ("materials?indicator=CM1&course=3&focal=chicago", 12),
        ("back_test", 2),
    ],
)
def test_charts_are_drawn_and_described(page: Any, address: str, name: str, n_charts: int) -> None:
    visit(page, f"{address}/{name}")
    charts = page.get_by_test_id("stVegaLiteChart")
    page.wait_for_function(f"document.querySelectorAll('[data-testid=stVegaLiteChart] svg.marks').length == {n_charts}")
    described = [charts.nth(place).get_attribute("aria-label") for place in range(charts.count())]
    assert len(described) == n_charts
    assert all(text and text.endswith(".") for text in described)
    boxes = [charts.nth(place).bounding_box() for place in range(n_charts)]
    assert all(box["width"] > 200 and box["height"] > 60 for box in boxes)


def test_a_table_is_downloaded_as_shown(page: Any, address: str) -> None:
    visit(page, f"{address}/materials?indicator=CM1&focal=houston&year=2023-24")
    page.get_by_text("Table, sources and CSV: CM1").click()
    table = page.get_by_test_id("stTable").first
    table.wait_for()
    clean = str.maketrans({"\u2060": None, "\u200b": None, "\u00a0": " "})
    shown = [cell.translate(clean).strip() for cell in table.locator("tbody tr").first.locator("td").all_inner_texts()]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download this table (CSV)").first.click()
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert waiting.value.suggested_filename == "nmip_r-1_CM1_2023-24.csv"
    assert lines[1].split(",") == shown
    assert shown[0] == "Houston"


def test_a_choice_can_be_sent_as_an_address_and_stays_on_the_next_page(page: Any, address: str) -> None:
    visit(page, f"{address}/outcomes")
    page.get_by_role("combobox", name="Show first").click()
    page.get_by_role("option", name="New York City").click()
    page.wait_for_url("**/outcomes?focal=new_york_city")
    page.get_by_role("link", name="Core & Supplemental Materials").click()
    page.get_by_text("High-quality materials coverage").first.wait_for()
    page.wait_for_url("**/materials?focal=new_york_city")


def test_a_card_leads_to_its_indicator_and_a_plan_can_be_sent(page: Any, address: str) -> None:
    visit(page, f"{address}/size_and_scale")
    page.get_by_role("button", name="School reach (SS1)").click()
    page.wait_for_url("**/size_and_scale?indicator=SS1")
    page.get_by_role("combobox", name="Schools").click()
    page.get_by_role("option", name="Followed through all years").click()
    page.wait_for_url("**schools=school_set*")
    page.get_by_text("In grey: schools followed through all years.").first.wait_for()
    visit(page, f"{address}/programmes")
    target = page.get_by_label("Students to reach")
    target.fill("100000")
    target.press("Enter")
    page.wait_for_url("**target=100000*")
    page.get_by_text("100,000 students are taught by 2,000 teachers").wait_for()


def test_a_district_is_compared_and_the_table_is_downloaded_as_shown(page: Any, address: str) -> None:
    visit(page, f"{address}/materials?indicator=CM1&course=3")
    page.get_by_role("button", name="Chicago", exact=True).click()
    page.wait_for_url("**focal=chicago*")
    page.get_by_role("heading", name="Compared with Chicago").wait_for()
    for title in ("Higher than Chicago", "No difference detected", "Lower than Chicago", "Cannot be compared, because …"):
        page.get_by_role("heading", name=title).wait_for()  # one and no more, or it is refused
    page.get_by_text("Table and CSV: compared with Chicago").click()
    table = page.locator("[data-testid=stTable]", has_text="What would lift it")
    table.wait_for()
    clean = str.maketrans({"\u2060": None, "\u200b": None, "\u00a0": " "})
    shown = [
        [cell.translate(clean).strip() for cell in row.locator("td").all_inner_texts()] for row in table.locator("tbody tr").all()
    ]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download this table (CSV)").last.click()
    assert waiting.value.suggested_filename == "nmip_r-1_CM1_2024-25_beside_chicago.csv"
    read = list(csv.reader(Path(waiting.value.path()).read_text().splitlines()))
    # A spreadsheet would take a plus for the beginning of a formula.
    assert [[cell.removeprefix("'") for cell in row] for row in read[1:]] == shown
    assert [row[0] for row in shown] == ["Houston", "Los Angeles", "Miami-Dade", "New York City", "Philadelphia"]


def test_the_new_pages_are_reached_and_their_choices_stand_in_the_address(page: Any, address: str) -> None:
    visit(page, f"{address}/outcomes")
    page.get_by_role("button", name="Linked mean (OC6)").click()
    page.get_by_role("button", name="Show 2023-24, the latest year with linked means").click()
    page.wait_for_url("**year=2023-24*")
    page.get_by_text("that is the better number").wait_for()
    page.get_by_role("link", name="How far linked means were off: the back-test").click()
    page.get_by_role("heading", name="Back-test of linked means").wait_for()
    page.get_by_role("link", name="How a link is worked out: Methods").click()
    page.get_by_role("heading", name="Many pairs at once (Holm)").wait_for()
    page.wait_for_url("**/methods*")


def test_text_from_outside_runs_nothing_and_loads_nothing(page: Any, address: str) -> None:
    alerts: list[str] = []
    page.on("dialog", lambda dialog: alerts.append(dialog.message))
    visit(page, f"{address}/data_quality?district=houston")
    page.get_by_text("Houston, Assessment levels, 2024-25, delivery 1").click()
    page.get_by_text("<script>alert('x')</script>").first.wait_for()
    assert not alerts
    assert page.locator("a[href*='example.invalid'], img[src*='example.invalid']").count() == 0


def test_captions_have_enough_contrast(page: Any, address: str) -> None:
    visit(page, f"{address}/outcomes?indicator=OC4")
    caption = page.get_by_text("not on a common scale").first
    colour = caption.evaluate("element => getComputedStyle(element.closest('p')).color")
    opacity = caption.evaluate(
        "element => { let all = 1;"
        " for (let at = element; at; at = at.parentElement) all *= getComputedStyle(at).opacity;"
        " return all }"
    )
    parts = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")]
    opacity *= parts[3] if len(parts) == 4 else 1.0
    seen = [(part * opacity + 255 * (1 - opacity)) / 255 for part in parts[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in seen]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_a_new_release_and_a_missing_one_appear_by_themselves(page: Any, address: str, home: Path) -> None:
    visit(page, address)
    write_release(home, "r-2", kind="public")
    page.get_by_text("Release r-2").wait_for()
    page.get_by_text("not submitted by the districts").wait_for()
    pointer = home / "releases" / "current.json"
    pointer.rename(home / "pointer")
    page.get_by_text("There is no release to show").wait_for()
    (home / "pointer").rename(pointer)
    page.get_by_text("Release r-2").wait_for()
    write_release(home, "r-1")
    page.get_by_text("Release r-1").wait_for()

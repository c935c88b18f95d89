"""The Submit pages in a real browser: from a broken file to a proven receipt, by mouse, by keyboard, in a narrow window."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pipelines.intake.desk import Desk, Identity
from pipelines.intake.reading import DeliveredFile
from pipelines.settings import Settings
from pipelines.storage import Storage
from pipelines.warehouse.indicator_sql import ensure_indicator_sql
from tests.deliveries import DIRECTORY, directory_csv, levels_csv

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000
TEST = "il_iar_math_2025"
NASTY = (
    "<script>alert('x')</script>",
    "<img src=x onerror=alert(1)>",
    ":red[red]",
    "$x^2$",
    "[a](javascript:alert(1))",
    "![a](http://example.invalid/a.png)",
    "http://example.invalid",
    ":material/delete:",
    ":streamlit:",
    "**b** `c` ~~d~~",
    "=cmd|' /C calc'!A0",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"There is no browser at {CHROMIUM}, and CI must test the Submit pages in one.")
        pytest.skip(f"There is no browser at {CHROMIUM}: the Submit pages were not tested in one.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which a school directory is in force and the effects on indicators can be said."""
    found = Settings.from_environment({"NMIP_HOME": str(tmp_path_factory.mktemp("home"))})
    desk = desk_of(found)
    directory = desk.submit([DeliveredFile("d.csv", directory_csv(4))], "chicago", "school_directory", "2024-25", "test")
    desk.sign(directory[0].key.submission_id, "Checked.")
    ensure_indicator_sql(found)
    return found


def desk_of(settings: Settings) -> Desk:
    return Desk(Storage(settings.home), settings.contracts, Identity("test"), settings.indicator_sql)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(settings: Settings, port: int, *options: str, **variables: str) -> Iterator[str]:
    """The Submit pages in a process of their own, ended by its process id."""
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboards" / "submit.py")]
    options = ("--server.port", str(port), "--server.address", "127.0.0.1", *options)
    environment = {**os.environ, "NMIP_HOME": str(settings.home), **variables}
    log = settings.home / f"submit-{port}.log"
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
    pytest.fail(f"The Submit pages did not start: {log.read_text()}")


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with serving(settings, free_port(), NMIP_USER="ana@example.org", NMIP_DISTRICTS="chicago") as base:
        yield base


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE)
    yield opened
    opened.close()


def visit(page: Any, url: str) -> None:
    page.goto(url)
    page.get_by_text("Signed in as").wait_for()
    page.locator("h1").wait_for()
    settle(page)


def settle(page: Any) -> None:
    """Wait until the page was run and drawn."""
    page.wait_for_timeout(300)
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    page.wait_for_timeout(200)


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    page.locator("input[type=file]").first.set_input_files(payload)


def levels(*by_school: tuple[int, int, int, int]) -> bytes:
    return levels_csv({(f"{i:03d}", "4", "all"): counts for i, counts in enumerate(by_school, start=1)}, TEST)


def read_download(page: Any, button: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button, exact=True).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def overflow(page: Any) -> int:
    script = (
        "(() => { const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth })()"
    )
    return int(page.evaluate(script))


ORDINARY = ((10, 20, 30, 40), (20, 20, 20, 20), (15, 25, 35, 5), (30, 10, 10, 10))


PLACE = "extract=assessment_levels&year=2024-25"
CORRECTED = levels(*ORDINARY[:2], (0, 60, 0, 0), (0, 0, 40, 0))


def test_from_a_broken_file_to_a_proven_receipt(page: Any, address: str) -> None:
    _is_told_what_is_wrong(page, address)
    _acknowledges(page, address)
    receipt = _signs(page)
    _proves(page, address, receipt)
    _replaces(page, address)


def _is_told_what_is_wrong(page: Any, address: str) -> None:
    visit(page, f"{address}/?{PLACE}")
    drop(page, ("levels.csv", levels(*ORDINARY).replace(b"003,4,all", b"003,44,all").replace(b",spring,110,", b",sprung,110,")))
    page.get_by_text("Something must be corrected: 2 findings of 1 rule.").wait_for()
    settle(page)
    rows = page.locator("[class*=st-key-rows-AL-S-CODE] tbody tr")
    shown = [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in rows.all()]
    assert {(row[0], row[2], row[3]) for row in shown} == {("2", "administration", "sprung"), ("4", "grade", "44")}
    assert page.get_by_role("button", name="Submit for Chicago, 2024-25").count() == 0
    name, annotated = read_download(page, "Your file with the findings")
    lines = list(csv.DictReader(io.StringIO(annotated.decode("utf-8-sig"))))
    assert name == "levels_with_findings.csv"
    assert [bool(line["nmip_findings"]) for line in lines] == [True, False, True, False]


def _acknowledges(page: Any, address: str) -> None:
    """Corrected; in two schools everybody is at one level now, which is unusual, and right."""
    visit(page, f"{address}/?{PLACE}")
    drop(page, ("levels.csv", CORRECTED))
    page.get_by_text("Nothing blocks, but something is unusual").wait_for()
    page.get_by_role("button", name="Submit for Chicago, 2024-25").click()
    page.wait_for_url("**/submission?id=chicago*2024-25*001")
    page.get_by_text("It can be signed once 2 findings above are acknowledged.").wait_for()
    settle(page)
    page.get_by_label("Reason").fill("One class, and it sat one form of the test.")
    page.get_by_role("combobox", name="Lines that it does not cover").click()
    page.get_by_role("option", name="5: ").click()
    page.keyboard.press("Escape")
    page.get_by_role("option").first.wait_for(state="hidden")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_text("It can be signed once 1 finding above is acknowledged.").wait_for()
    settle(page)
    page.get_by_label("Reason").fill("A new school.")
    page.get_by_role("button", name="Acknowledge").click()


def _signs(page: Any) -> bytes:
    page.get_by_text("What you certify, in your own words").wait_for()
    settle(page)
    assert page.get_by_text("4 rows, all new: nothing is in force here yet.").count() == 1
    page.get_by_text("OC4").first.click()
    page.get_by_text("new: ").first.wait_for()
    page.get_by_role("button", name="Sign and certify").click()
    page.get_by_text("Tick the box").wait_for()
    page.get_by_text("I sign as ana@example.org for Chicago.").click()
    page.get_by_role("button", name="Sign and certify").click()
    page.get_by_text("Certified and in force.").wait_for()
    page.get_by_text("The release follows by itself").wait_for()
    settle(page)
    name, receipt = read_download(page, "Receipt (JSON)")
    assert name == "chicago_assessment_levels_2024-25_001_receipt.json"
    assert json.loads(receipt)["signer"] == "ana@example.org"
    _, everything = read_download(page, "Everything (ZIP)")
    with zipfile.ZipFile(io.BytesIO(everything)) as archive:
        assert archive.read("levels.csv") == CORRECTED
        assert archive.read("receipt.json") == receipt
    return receipt


def _proves(page: Any, address: str, receipt: bytes) -> None:
    page.get_by_role("link", name="Verify a receipt").click()
    page.get_by_text("Drop the receipt and the delivered files").wait_for()
    drop(page, ("receipt.json", receipt), ("levels.csv", CORRECTED))
    page.get_by_text("Proven. The receipt is whole").wait_for()
    visit(page, f"{address}/verify_receipt")
    drop(page, ("receipt.json", receipt.replace(b"A new school.", b"An old school.")), ("levels.csv", CORRECTED))
    page.get_by_text("Altered. The receipt or a file is not as it was signed.").wait_for()


def _replaces(page: Any, address: str) -> None:
    """What replaces it needs a release note, keeps what was acknowledged, and says what it changes."""
    visit(page, f"{address}/?{PLACE}")
    drop(page, ("levels.csv", levels(ORDINARY[0], (25, 15, 20, 20), (0, 60, 0, 0), (0, 0, 40, 0))))
    page.get_by_role("button", name="Submit for Chicago, 2024-25").click()
    page.wait_for_url("**/submission?id=chicago*2024-25*002")
    page.get_by_text("Compared with submission 1, which is in force until you sign.").wait_for()
    page.get_by_text("2 findings, acknowledged").wait_for()
    settle(page)
    page.get_by_text("Changed: 2 values in 1 row").click()
    changed = page.locator(".st-key-rows-changed tbody tr").first
    changed.wait_for()
    assert [cell.strip() for cell in changed.locator("td").all_inner_texts()][2:] == ["n_level_1", "20", "25"]
    page.get_by_text("I sign as ana@example.org for Chicago.").click()
    page.get_by_role("button", name="Sign and certify").click()
    page.get_by_text("the release note is blank").wait_for()
    page.get_by_label("Release note").fill("Five students of school 002 moved down.")
    page.get_by_role("button", name="Sign and certify").click()
    page.get_by_text("Certified and in force.").wait_for()


FOCUSED = """(() => {
  const at = document.activeElement;
  if (!['A', 'BUTTON', 'INPUT', 'TEXTAREA', 'SUMMARY'].includes(at.tagName)) return '';
  const label = at.labels && at.labels.length ? at.labels[0].innerText : '';
  return [at.ariaLabel, label, at.innerText].join(' ');
})()"""


def tab_to(page: Any, words: str) -> None:
    """Press Tab until a link, a button or a field with these words has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if words in str(page.evaluate(FOCUSED)):
            return
    pytest.fail(f"The keyboard does not get to {words!r}.")


def test_the_main_path_with_the_keyboard_alone(page: Any, address: str) -> None:
    visit(page, f"{address}/?extract=school_directory&year=2023-24")
    choosers: list[Any] = []

    # Playwright marks the function that it calls, which a built-in one does not bear.
    def opened(chooser: Any) -> None:
        choosers.append(chooser)

    page.on("filechooser", opened)
    for _ in range(10):
        # A page that is still being drawn takes the focus away: whoever uses the keyboard presses once more.
        settle(page)
        tab_to(page, "Upload")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1_000)
        if choosers:
            break
    assert choosers, "Enter on Upload opens no window to choose a file"
    choosers[0].set_files({"name": "directory.csv", "mimeType": "text/csv", "buffer": directory_csv(4)})
    page.get_by_text("Nothing was found.").wait_for()
    settle(page)
    tab_to(page, "Submit for Chicago, 2023-24")
    page.keyboard.press("Enter")
    page.get_by_text("the submission waits for its signer").wait_for()
    settle(page)
    tab_to(page, "I sign as ana@example.org")
    page.keyboard.press("Space")
    tab_to(page, "Sign and certify")
    page.keyboard.press("Enter")
    page.get_by_text("Certified and in force.").wait_for()
    settle(page)
    tab_to(page, "Receipt (JSON)")
    with page.expect_download() as waiting:
        page.keyboard.press("Enter")
    assert json.loads(Path(waiting.value.path()).read_bytes())["submission_id"] == "chicago/school_directory/2023-24/001"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["", "my_submissions", "submission?id=chicago/school_directory/2024-25/001", "dictionary"])
def test_every_page_fits_its_window_and_asks_nobody_else(page: Any, address: str, name: str, width: int) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, f"{address}/{name}")
    assert page.locator("h1").count() == 1
    assert page.get_by_test_id("stException").count() == 0
    assert overflow(page) <= 0
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]


def nasty_directory() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(DIRECTORY.split(","))
    for number, value in enumerate(NASTY, start=1):
        writer.writerow([f"{number:03d}", "", value, value, "K", "5", "false", "true", value, "", 300, 300, 150, 40, 30])
    return text.getvalue().encode()


@pytest.mark.parametrize("width", [1280, 390])
def test_values_are_text_whatever_they_say(page: Any, address: str, width: int) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, f"{address}/?extract=school_directory&year=2022-23")
    drop(page, ("<img src=x onerror=alert(2)> :red[x].csv", nasty_directory()))
    page.get_by_text("Something must be corrected").wait_for()
    settle(page)
    table = page.locator("[class*=st-key-rows-SD-S-CODE]")
    table.locator("td code").first.wait_for()
    values = [cell.replace("\u2060", "") for cell in table.locator("td code").all_inner_texts()]
    assert values[1::2] == list(NASTY[:10])
    inside = page.locator("[data-testid=stMain]")
    assert inside.locator("a[href*='example.invalid'], a[href^='javascript'], img, .katex, script").count() == 0
    assert overflow(page) <= 0
    assert not dialogs
    _, findings = read_download(page, "Findings (CSV)")
    cells = [cell for row in csv.reader(io.StringIO(findings.decode("utf-8-sig"))) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_personal_data_are_refused_and_nothing_is_left(page: Any, address: str, settings: Settings) -> None:
    before = sorted(settings.home.rglob("*.csv")), len(list((settings.home / "submissions").rglob("*")))
    rows = "".join(f"9000{i:05d},Ana{i},Lopez{i},2012-03-{1 + i % 28:02d}\n" for i in range(50))
    visit(page, f"{address}/?extract=school_directory&year=2025-26")
    drop(page, ("students.csv", f"student_id,first_name,last_name,birth_date\n{rows}".encode()))
    page.get_by_text("Refused, and nothing of it was kept.").wait_for()
    settle(page)
    assert page.get_by_test_id("stFileUploaderFile").count() == 0
    assert "Lopez" not in page.inner_text("body")
    assert (sorted(settings.home.rglob("*.csv")), len(list((settings.home / "submissions").rglob("*")))) == before


def test_another_districts_user_sees_nothing_of_it(browser: Any, settings: Settings) -> None:
    submission_id = "chicago/school_directory/2024-25/001"
    with serving(settings, free_port(), NMIP_USER="ben@example.org", NMIP_DISTRICTS="houston") as base:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        visit(page, f"{base}/submission?id={submission_id}")
        said = page.inner_text("body").replace("\u2060", "")
        assert "ben@example.org may not see submissions for chicago" in said
        assert "Certified" not in said and "d.csv" not in said
        visit(page, f"{base}/my_submissions")
        said = page.inner_text("body")
        assert "Nothing was submitted yet" in said and "Chicago" not in said
        visit(page, f"{base}/?district=chicago")
        page.get_by_role("combobox", name="District").click()
        assert page.get_by_role("option").all_inner_texts() == ["Houston"]
        page.close()


class Provider(ThreadingHTTPServer):
    """A single sign-on service (OpenID Connect) that lets everybody in as the person whose claims it was given."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        super().__init__(("127.0.0.1", 0), ProviderAnswers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"})
        self.claims: dict[str, Any] = {}
        self.nonces: dict[str, str] = {}


class ProviderAnswers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        asked = dict(urllib.parse.parse_qsl(query))
        if path == "/authorize":
            code = f"code-{len(self.server.nonces)}"
            self.server.nonces[code] = asked["nonce"]
            back = urllib.parse.urlencode({"code": code, "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
            return
        places = {name: f"{self.server.url}/{path}" for name, path in PROVIDER_PATHS.items()}
        kinds = {"id_token_signing_alg_values_supported": ["RS256"], "response_types_supported": ["code"]}
        document = {"issuer": self.server.url, "subject_types_supported": ["public"], **kinds, **places}
        self._say({"keys": [self.server.key.as_dict(private=False)]} if path == "/jwks" else document)

    def do_POST(self) -> None:
        from joserfc import jwt

        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": "nmip", "sub": "7", "iat": now, "exp": now + 600, **self.server.claims}
        claims["nonce"] = self.server.nonces[form["code"]]
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.server.key)
        self._say({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": token})

    def _say(self, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


PROVIDER_PATHS = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    missing = [name for name in ("authlib", "httpx") if importlib.util.find_spec(name) is None]
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Single sign-on needs {' and '.join(missing)}, and CI must test it.")
        pytest.skip(f"Single sign-on was not tested: it needs {' and '.join(missing)}.")
    service = Provider()
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield service
    service.shutdown()
    thread.join()
    service.server_close()


def test_single_sign_on_says_who_signs_for_which_district(
    browser: Any, settings: Settings, provider: Provider, tmp_path: Path
) -> None:
    port = free_port()
    secrets, signers = tmp_path / "secrets.toml", tmp_path / "signers.csv"
    secrets.write_text(
        f'''[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of thirty-two letters..."
client_id = "nmip"
client_secret = "secret"
server_metadata_url = "{provider.url}/.well-known/openid-configuration"
'''
    )
    signers.write_text("user,district\ncarla@example.org,houston\n")
    variables = {"NMIP_SIGNERS": str(signers), "NMIP_USER": "root", "NMIP_DISTRICTS": "chicago"}
    with serving(settings, port, "--secrets.files", str(secrets), **variables) as base:
        for claims, said in (
            ({"email": "carla@example.org", "email_verified": True}, "Signed in as carla@example.org for Houston"),
            ({"email": "carla@example.org", "email_verified": False}, "it gave no verified e-mail address"),
            ({"email": "eve@example.org", "email_verified": True}, "but act for no district"),
        ):
            provider.claims = claims
            person = browser.new_context()
            page = person.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(f"{base}/submission?id=chicago/school_directory/2024-25/001")
            page.get_by_text("These pages show a district's own numbers to those who act for it.").wait_for()
            assert "School directory" not in page.inner_text("body")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_text(said).wait_for()
            page.goto(f"{base}/submission?id=chicago/school_directory/2024-25/001")
            page.get_by_text(said).wait_for()
            settle(page)
            assert "School directory, 2024-25" not in page.inner_text("body")
            if "Houston" in said:
                page.get_by_text("may not see submissions for chicago").wait_for()
                page.get_by_role("button", name="Sign out").click()
                page.get_by_role("button", name="Sign in").wait_for()
            person.close()

"""The Submit pages: who may come in, what each state says, what a page refuses, and that what files say stays text."""

from __future__ import annotations

import csv
import io
import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards.components.words import WORD_JOINER
from dashboards.submit_pages import downloads, identity, place, words
from pipelines.intake import states
from pipelines.intake.desk import Desk, Identity
from pipelines.intake.expected import EXPECTED_STATES
from pipelines.intake.reading import DeliveredFile
from pipelines.intake.submission import Submission
from pipelines.settings import Settings
from pipelines.storage import Storage, canonical_json
from tests.deliveries import DIRECTORY, directory_csv

APP = Path(__file__).resolve().parents[2] / "dashboards" / "submit.py"
CONTRACTS = Settings.contracts
DIRECTORY_2024 = {"district": "chicago", "extract": "school_directory", "year": "2024-25"}
PAGES = ("submit_file", "my_submissions", "submission", "dictionary", "verify_receipt")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and a person of Chicago at the machine on which the pages run."""
    monkeypatch.setenv("NMIP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NMIP_USER", "ana@example.org")
    monkeypatch.setenv("NMIP_DISTRICTS", "chicago")
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    # A test has no connection, and Streamlit says None of one on loopback.
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: None))
    yield tmp_path / "home"
    config.set_option("server.address", before)


def open_page(name: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    if name == "submit_file":
        app.query_params.update(address)
    app.run()
    if name != "submit_file":
        app.switch_page(f"submit_pages/{name}.py")
        app.query_params.update(address)
        app.run()
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def submission_page(submission: Submission) -> AppTest:
    return open_page("submission", id=submission.key.submission_id)


def text_of(app: AppTest) -> str:
    """All words of a page as a reader sees them, without what keeps text from being Markdown."""
    kinds = ("title", "subheader", "markdown", "caption", "info", "warning", "error", "success", "text")
    parts = [str(element.value) for kind in kinds for element in getattr(app, kind)]
    parts += [element.label for kind in ("expander", "page_link", "button", "download_button") for element in app.get(kind)]
    return "\n".join(parts).replace("\\", "").replace(WORD_JOINER, "").replace("`", "").replace("**", "")


def drop(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    return app.file_uploader[0].set_value([(name, content, "text/csv") for name, content in files]).run()


def desk(home: Path, user: str = "test") -> Desk:
    return Desk(Storage(home), CONTRACTS, Identity(user), home / "work" / "indicator_sql.json")


def submit(home: Path, content: bytes, year: str = "2024-25", district: str = "chicago", name: str = "d.csv") -> Submission:
    return desk(home).submit([DeliveredFile(name, content)], district, "school_directory", year, "command line")[0]


def unusual_directory(*lines: int, n_schools: int = 6) -> bytes:
    """A directory in which the schools in these lines are called elementary and begin with grade 6."""
    rows = directory_csv(n_schools).decode().splitlines()
    for line in lines:
        rows[line - 1] = rows[line - 1].replace(",elementary,K,5,", ",elementary,6,8,")
    return "\n".join([*rows, ""]).encode()


def broken_directory() -> bytes:
    return directory_csv(4).replace(b"002,,School 2,elementary", b"002,,School 2,elementry")


# --- who may come in ---


@pytest.mark.parametrize(
    "server, client, headers, expected",
    [
        ("127.0.0.1", None, {}, True),
        ("localhost", None, {"Host": "localhost:8502"}, True),
        ("127.0.0.1", "127.0.0.1", {"Host": "127.0.0.1:8502"}, True),
        ("::1", "::1", {"Host": "[::1]:8502"}, True),
        (None, None, {}, False),
        ("0.0.0.0", None, {}, False),  # noqa: S104 - asked about, not listened on
        ("192.168.1.7", None, {}, False),
        ("127.0.0.1", "192.168.1.9", {}, False),
        ("127.0.0.1", "8.8.8.8", {"Host": "localhost"}, False),
        ("127.0.0.1", None, {"X-Forwarded-For": "8.8.8.8"}, False),
        ("127.0.0.1", None, {"Forwarded": "for=8.8.8.8"}, False),
        ("127.0.0.1", None, {"Host": "evil.example:8502"}, False),
        ("127.0.0.1", None, {"Host": "localhost.evil.example"}, False),
    ],
)
def test_only_the_machine_itself_needs_no_single_sign_on(
    server: str | None, client: str | None, headers: Mapping[str, str], expected: bool
) -> None:
    assert identity.is_own_machine(server, client, headers) is expected


@pytest.mark.parametrize(
    "claims, expected",
    [
        ({"email": "ana@example.org"}, "ana@example.org"),
        ({"email": "ana@example.org", "email_verified": True}, "ana@example.org"),
        ({"email": "ana@example.org", "email_verified": "true"}, "ana@example.org"),
        ({"email": "ana@example.org", "email_verified": False}, None),
        ({"email": "ana@example.org", "email_verified": "false"}, None),
        ({"email": "ana@example.org", "email_verified": None}, None),
        ({"email": " "}, None),
        ({"name": "Ana"}, None),
        ({"email": ["ana@example.org"]}, None),
    ],
)
def test_an_address_counts_only_where_it_is_verified(claims: Mapping[str, Any], expected: str | None) -> None:
    assert identity.verified_email(claims) == expected


def test_one_may_sign_in_with_every_provider_that_is_set_up() -> None:
    assert identity.providers_of({"cookie_secret": "x", "client_id": "y"}) == (None,)
    named = {"redirect_uri": "x", "okta": {"client_id": "y"}, "entra": {"client_id": "z"}, "other": {"x": "y"}}
    assert identity.providers_of(named) == ("okta", "entra")


@pytest.mark.parametrize("name", PAGES)
def test_from_elsewhere_the_pages_show_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    submission = submit(home, broken_directory())
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: "192.168.1.9"))
    app = open_page(name, id=submission.key.submission_id, **DIRECTORY_2024)
    assert [title.value for title in app.title] == ["These pages are closed"]
    assert [part.value for part in app.markdown] == [identity.ONLY_HERE]
    assert not [*app.file_uploader, *app.button, *app.selectbox, *app.table, *app.caption, *app.error]


class SignedIn:
    """What single sign-on says of a person."""

    def __init__(self, **claims: Any) -> None:
        self.claims = claims

    def get(self, name: str) -> Any:
        return self.claims.get(name)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.claims)


@pytest.fixture
def signed_in(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., AppTest]:
    """Opens the first page behind single sign-on as somebody with these claims."""
    signers = tmp_path / "signers.csv"
    signers.write_text("user,district\nana@example.org,chicago\nana@example.org,houston\nben@example.org,philadelphia\n")
    monkeypatch.setenv("NMIP_SIGNERS", str(signers))

    def opened(name: str = "submit_file", address: Mapping[str, str] | None = None, **claims: Any) -> AppTest:
        monkeypatch.setattr(st, "user", SignedIn(**claims))
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.secrets["auth"] = {"redirect_uri": "https://x/oauth2callback", "cookie_secret": "x", "client_id": "y"}
        app.run()
        if name != "submit_file":
            app.switch_page(f"submit_pages/{name}.py")
            app.query_params.update(address or {})
            app.run()
        assert not app.exception
        return app

    return opened


def test_single_sign_on_comes_first_even_at_the_machine_itself(signed_in: Callable[..., AppTest]) -> None:
    app = signed_in(is_logged_in=False)
    assert [title.value for title in app.title] == ["Sign in"]
    assert [button.label for button in app.button] == ["Sign in"]
    assert not app.file_uploader


@pytest.mark.parametrize("auth", [{}, {"cookie_secret": "x"}, "on", {"okta": {"name": "x"}}])
def test_half_a_single_sign_on_lets_nobody_in(home: Path, auth: Any) -> None:
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.secrets["auth"] = auth
    app.run()
    assert identity.HALF_SET_UP in text_of(app) and not app.file_uploader


def test_secrets_that_cannot_be_read_let_nobody_in(home: Path, tmp_path: Path) -> None:
    secrets, before = tmp_path / "secrets.toml", config.get_option("secrets.files")
    secrets.write_text("[auth\nclient_id = 1")
    config.set_option("secrets.files", [str(secrets)])
    try:
        assert identity.HALF_SET_UP in text_of(open_page("submit_file"))
    finally:
        config.set_option("secrets.files", before)


def test_who_is_signed_in_acts_for_the_districts_of_the_list(signed_in: Callable[..., AppTest]) -> None:
    app = signed_in(is_logged_in=True, email="Ana@Example.org", email_verified=True)
    assert "Signed in as Ana@Example.org for Chicago and Houston" in text_of(app)
    assert app.selectbox("choice.district").options == ["Chicago", "Houston"]
    assert "Sign out" in [button.label for button in app.button]


def test_an_unverified_address_is_nobody(signed_in: Callable[..., AppTest]) -> None:
    app = signed_in(is_logged_in=True, email="ana@example.org", email_verified=False)
    assert identity.NO_EMAIL in text_of(app)
    assert not app.file_uploader


def test_who_is_not_in_the_list_acts_for_no_district(signed_in: Callable[..., AppTest]) -> None:
    app = signed_in(is_logged_in=True, email="eve@example.org")
    assert "act for no district" in text_of(app) and "NMIP_SIGNERS" in text_of(app)
    assert not app.file_uploader


def test_without_a_list_of_signers_the_page_says_what_is_missing(
    signed_in: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NMIP_SIGNERS")
    app = signed_in(is_logged_in=True, email="ana@example.org")
    assert "set NMIP_SIGNERS to a csv file" in text_of(app)
    assert not app.file_uploader


def test_another_districts_submission_is_refused_whatever_the_address_says(home: Path, signed_in: Callable[..., AppTest]) -> None:
    theirs = submit(home, broken_directory(), district="philadelphia", name="secret-name.csv").key.submission_id
    app = signed_in("submission", {"id": theirs}, is_logged_in=True, email="ana@example.org")
    assert "ana@example.org may not see submissions for philadelphia" in text_of(app)
    assert "secret-name" not in text_of(app) and "elementry" not in text_of(app)
    assert not app.table and not app.get("download_button")


@pytest.mark.parametrize(
    "asked, said",
    [
        ("houston/school_directory/2024-25/001", "may not see submissions for houston"),
        ("chicago/school_directory/2024-25/099", "there is no submission chicago/school_directory/2024-25/099"),
        ("../../etc/passwd", "is not a submission id"),
        ("chicago/../houston/001", "is not an extract"),
        ("<script>alert(1)</script>", "is not a submission id"),
        ("", "The address names no submission"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(home: Path, asked: str, said: str) -> None:
    submit(home, directory_csv(), district="houston")
    app = open_page("submission", id=asked)
    assert said.lower() in text_of(app).lower()
    assert len(app.error) == 1 and not app.table


def test_the_district_of_the_address_must_be_ones_own(home: Path) -> None:
    app = open_page("submit_file", district="houston")
    assert app.selectbox("choice.district").options == ["Chicago"]
    assert "The address asks for “houston”, which is not to be had here." in text_of(app)


# --- a file ---


def test_a_clean_file_becomes_a_submission_and_is_signed(home: Path) -> None:
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", directory_csv(5)))
    assert "Nothing was found." in text_of(app)
    assert "5 lines in = 5 used." in text_of(app)
    assert not (home / "submissions").exists(), "a check keeps nothing"
    app.button("submit").click().run()
    assert app.query_params["id"] == "chicago/school_directory/2024-25/001"
    assert "the submission waits for its signer" in text_of(app)
    sign = next(button for button in app.button if button.label == "Sign and certify")
    sign.click().run()
    assert "Tick the box that says that you sign for Chicago." in text_of(app)
    app.checkbox[0].check()
    sign = next(button for button in app.button if button.label == "Sign and certify")
    sign.click().run()
    said = text_of(app)
    assert "Certified and in force." in said and "nmip run" in said
    kept = desk(home).submission("chicago/school_directory/2024-25/001").last("certified")
    assert kept is not None and kept["actor"] == "ana@example.org"
    assert kept["statement"].startswith("I have checked these 5 rows of school directory for 2024-25 against Chicago's own")
    receipt = {row["What"]: row["Content"] for row in app.table[0].value.to_dict("records")}
    assert receipt["Signed by"].startswith("`ana@example.org`, ")
    assert receipt["Findings"] == "nothing was found"


def test_what_blocks_is_shown_by_rule_and_cannot_be_submitted(home: Path) -> None:
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", broken_directory()))
    assert "Something must be corrected: 1 finding of 1 rule." in text_of(app)
    assert "submit" not in [button.key for button in app.button]
    row = app.table[0].value.to_dict("records")[0]
    assert (row["Line"], row["Field"], row["Value"]) == ("3", "`school_level`", "`elementry`")
    assert [button.label for button in app.get("download_button")][:3] == [
        "Findings (CSV)",
        "Findings (JSON)",
        "Your file with the findings",
    ]
    assert not (home / "submissions").exists()


def test_what_must_be_corrected_is_counted_apart_from_what_is_unusual(home: Path) -> None:
    content = unusual_directory(3, 5).replace(b"006,,School 6,elementary", b"006,,School 6,elementry")
    said = text_of(drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", content)))
    assert "Something must be corrected: 1 finding of 1 rule; 2 more are unusual." in said
    assert said.index("To correct") < said.index("Unusual, to correct or to acknowledge")


def test_another_file_in_its_place_is_checked_anew(home: Path) -> None:
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", broken_directory()))
    assert "Something must be corrected" in text_of(app)
    assert "Nothing was found." in text_of(drop(app, ("d.csv", directory_csv(4))))


def test_widgets_do_not_check_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", broken_directory()))

    def never(*_: Any) -> None:
        raise AssertionError("the file was checked twice")

    monkeypatch.setattr(Desk, "check", never)
    app.run()
    assert "Something must be corrected" in text_of(app)


def test_personal_data_are_refused_let_go_and_nothing_is_kept(home: Path) -> None:
    rows = "".join(f"9000{i:05d},Ana{i},Lopez{i},2012-03-{1 + i % 28:02d}\n" for i in range(50))
    content = f"student_id,first_name,last_name,birth_date\n{rows}".encode()
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("students.csv", content))
    said = text_of(app)
    assert "Refused, and nothing of it was kept." in said and "birth_date" in said
    assert "Lopez" not in said
    assert not app.file_uploader[0].value
    assert not app.get("download_button")[2:]
    assert not (home / "submissions").exists()
    assert "checked" not in app.session_state


def test_the_same_bytes_lead_to_their_submission(home: Path) -> None:
    first = submit(home, directory_csv(30))
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("other name.csv", directory_csv(30)))
    assert "These are the very bytes of submission 1" in text_of(app)
    assert "submit" not in [button.key for button in app.button]
    desk(home).sign(first.key.submission_id, "Checked.")
    second = submit(home, directory_csv(31))
    desk(home).sign(second.key.submission_id, "Checked.", "One school more.")
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", directory_csv(30)))
    app.button("submit").click().run()
    assert app.query_params["id"].endswith("/003"), "superseded bytes may come back as a new submission"


def test_a_table_of_many_findings_is_shown_in_part(home: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(DIRECTORY.split(","))
    for i in range(1_500):
        writer.writerow([f"{i:04d}", "", f"School {i}", "wrong", "K", "5", "false", "true", "n", "", 300, 300, 150, 40, 30])
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", text.getvalue().encode()))
    assert app.table[0].value.shape[0] == 10
    assert "1 to 10 of 1,000. The first 1,000 of 1,500 are shown; the downloads hold all." in text_of(app)
    app.pagination[0].set_value(100).run()
    assert app.table[0].value["Line"].to_list()[-1] == "1001"


def test_a_file_of_several_years_says_so_and_opens_a_submission_for_each(home: Path) -> None:
    years = ["2024-25", "2023-24", "1066-67"]
    rows = [f"{i:03d},,S{i},elementary,K,5,false,true,,,9,9,1,1,1,{year}" for i, year in enumerate(years)]
    content = "\n".join([f"{DIRECTORY},school_year", *rows, ""]).encode()
    app = drop(open_page("submit_file", **DIRECTORY_2024), ("d.csv", content))
    assert "The files also hold 2023-24: each of these years becomes a submission of its own." in text_of(app)
    assert "3 lines in = 1 used + 2 dropped (2 other year)." in text_of(app)
    app.button("submit").click().run()
    assert app.query_params["id"] == "chicago/school_directory/2024-25/001"
    assert "The same files opened a submission for other years too" in text_of(app)
    assert "2023-24, ready to sign" in text_of(app)


# --- choices ---


def test_the_year_is_the_latest_that_is_expected_and_not_certified(home: Path) -> None:
    here, years = desk(home), [f"20{i:02d}-{i + 1:02d}" for i in range(20, 27)]
    expected = pl.read_csv(CONTRACTS / "expected.csv", infer_schema=False).filter(district="chicago", extract="school_directory")[
        "school_year"
    ]
    latest, before = expected.sort(descending=True).to_list()[:2]
    assert place.due_year(here, "chicago", "school_directory", years, date(2026, 11, 1)) == latest
    here.sign(submit(home, directory_csv(), latest).key.submission_id, "Checked.")
    assert place.due_year(here, "chicago", "school_directory", years, date(2026, 11, 1)) == before
    assert place.due_year(here, "chicago", "no_such_extract", years, date(2024, 8, 1)) == "2024-25"


def test_the_current_year_is_the_latest_that_has_begun() -> None:
    years = pl.DataFrame({"code": ["2023-24", "2024-25"], "first_date": ["2023-07-01", "2024-07-01"]})
    days = (date(2024, 6, 30), date(2024, 7, 1), date(2030, 1, 1), date(2001, 1, 1))
    assert [place.current_year(years, day) for day in days] == ["2023-24", "2024-25", "2024-25", "2024-25"]


def test_a_choice_stands_in_the_address_and_comes_from_it(home: Path) -> None:
    app = open_page("submit_file", **DIRECTORY_2024)
    assert app.selectbox("choice.extract").value == "school_directory"
    app.selectbox("choice.year").set_value("2025-26").run()
    assert app.query_params["year"] == "2025-26"


# --- a submission ---


def steps(app: AppTest) -> list[str]:
    return [part.value.split(": ", 1)[1].rstrip("]") for part in app.markdown if "-badge[" in part.value]


def test_a_broken_submission_says_what_to_do(home: Path) -> None:
    app = submission_page(submit(home, broken_directory()))
    assert steps(app) == ["Received", "To correct", "Acknowledged", "Signed"]
    assert "Something in the files must be corrected." in text_of(app)
    assert "Send the corrected file" in text_of(app)
    assert "Sign and certify" not in [button.label for button in app.button]


def test_an_unreadable_submission_says_why(home: Path) -> None:
    app = submission_page(submit(home, b""))
    assert steps(app)[1] == "Cannot be read"
    assert "The files cannot be read." in text_of(app)
    assert [button.label for button in app.get("download_button")] == ["Findings (CSV)", "Findings (JSON)", "Everything (ZIP)"]


def test_findings_are_acknowledged_by_rule_and_single_lines_stay_open(home: Path) -> None:
    submission = submit(home, unusual_directory(3, 5, 7))
    app = submission_page(submission)
    assert "It can be signed once 3 findings above are acknowledged." in text_of(app)
    click(app, "Acknowledge")
    assert "The reason is blank" in text_of(app)
    app.text_area[0].set_value("They <b>are</b> :red[called] so.")
    app.multiselect[0].set_value([("d.csv", 5)])
    click(app, "Acknowledge")
    said = text_of(app)
    assert "2 findings acknowledged by ana@example.org" in said and "They <b>are</b> :red[called] so." in said
    assert "It can be signed once 1 finding above is acknowledged." in said
    assert app.text_area[0].value == ""
    app.text_area[0].set_value("This one too.")
    click(app, "Acknowledge")
    assert "the submission waits for its signer" in text_of(app)
    assert steps(app) == ["Received", "Checked", "Acknowledged", "Ready to sign"]


def test_of_several_files_lines_of_one_are_left_out(home: Path) -> None:
    first, second = unusual_directory(3), unusual_directory(3).replace(b"00", b"01").replace(b"School ", b"Other ")
    files = [DeliveredFile("a.csv", first), DeliveredFile("b.csv", second)]
    submission = desk(home).submit(files, "chicago", "school_directory", "2024-25", "command line")[0]
    app = submission_page(submission)
    assert [option.split(":")[0] for option in app.multiselect[0].options] == ["a.csv, 3", "b.csv, 3"]
    app.text_area[0].set_value("It is called so.")
    app.multiselect[0].set_value([("a.csv", 3), ("b.csv", 3)])
    click(app, "Acknowledge")
    assert "Leave out lines of one file at a time." in text_of(app)
    app.multiselect[0].set_value([("b.csv", 3)])
    click(app, "Acknowledge")
    assert "1 finding acknowledged by ana@example.org" in text_of(app)
    left = desk(home).findings(desk(home).submission(submission.key.submission_id)).filter(~pl.col("is_acknowledged"))
    assert left["file"].to_list() == ["b.csv"]


def click(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_acknowledgements_carry_over_and_say_from_where(home: Path) -> None:
    first = submit(home, unusual_directory(3))
    desk(home, "carla").acknowledge(first.key.submission_id, "SD-Q-LEVEL-GRADES", "It is called so.")
    app = submission_page(submit(home, unusual_directory(3, n_schools=7)))
    assert "1 finding acknowledged by carla" in text_of(app)
    assert "in submission 1, carried over: “It is called so.”" in text_of(app)


def test_what_replaces_another_shows_the_difference_and_needs_a_release_note(home: Path) -> None:
    first = submit(home, directory_csv(30))
    desk(home).sign(first.key.submission_id, "Checked.")
    changed = directory_csv(31).replace(b"001,,School 1,", b"001,,School One,").replace(b"002,,School 2,", b"002,,=2+2,")
    second = submit(home, changed)
    app = submission_page(second)
    said = text_of(app)
    assert "Compared with submission 1, which is in force until you sign." in said
    assert "1 row added, 0 removed, 2 changed (2 values), 28 as before." in said
    values = app.table[0].value.to_dict("records")
    assert [(row["Line"], row["Field"], row["In force"], row["New"]) for row in values] == [
        ("2", "`school_name`", "`School 1`", "`School One`"),
        ("3", "`school_name`", "`School 2`", "`=2+2`"),
    ]
    assert "What this does to the indicators cannot be said" in said and "nmip run" in said
    app.checkbox[0].check()
    click(app, "Sign and certify")
    assert "the release note is blank" in text_of(app)
    note = next(area for area in app.text_area if area.label.startswith("Release note"))
    note.set_value("Two names, one new school.")
    click(app, "Sign and certify")
    receipt = {row["What"]: row["Content"] for row in app.table[0].value.to_dict("records")}
    assert receipt["Replaces"] == "submission 1"
    assert receipt["Release note"] == "Two names, one new school."
    assert "Replaced by a later certified submission." in text_of(submission_page(first))


def test_a_submission_that_changed_meanwhile_is_not_signed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = submit(home, directory_csv(5))
    app = submission_page(submission)
    app.checkbox[0].check()
    sign = Desk.sign

    def withdrawn_meanwhile(self: Desk, submission_id: str, *rest: Any) -> Submission:
        desk(home).withdraw(submission_id, "The wrong file.")
        return sign(self, submission_id, *rest)

    monkeypatch.setattr(Desk, "sign", withdrawn_meanwhile)
    click(app, "Sign and certify")
    assert "It was not signed, because something changed meanwhile" in text_of(app)
    assert "Withdrawn by the district" in text_of(app)
    assert desk(home).submission(submission.key.submission_id).state == states.WITHDRAWN


def test_signing_what_was_signed_in_another_window_shows_it_certified(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = submission_page(submit(home, directory_csv(5)))
    app.checkbox[0].check()
    sign = Desk.sign

    def signed_meanwhile(self: Desk, submission_id: str, *rest: Any) -> Submission:
        monkeypatch.setattr(Desk, "sign", sign)
        desk(home, "ben@example.org").sign(submission_id, "Checked.")
        return sign(self, submission_id, *rest)

    monkeypatch.setattr(Desk, "sign", signed_meanwhile)
    click(app, "Sign and certify")
    assert "Certified and in force." in text_of(app)
    assert app.table[0].value["Content"][0].startswith("`ben@example.org`")
    assert not app.error


def test_a_submission_is_withdrawn_with_a_reason_and_on_purpose(home: Path) -> None:
    app = submission_page(submit(home, directory_csv(5)))
    click(app, "Withdraw")
    assert "Tick the box that says that you withdraw it." in text_of(app)
    sure = next(box for box in app.checkbox if box.label.startswith("Yes"))
    sure.check()
    click(app, "Withdraw")
    assert "The reason is blank" in text_of(app)
    app.text_input[0].set_value("The wrong file.")
    click(app, "Withdraw")
    assert "Withdrawn by the district" in text_of(app)
    assert "withdrawn by ana@example.org: “The wrong file.”" in text_of(app)


def test_a_record_that_was_changed_is_said_and_nothing_else(home: Path) -> None:
    submission = submit(home, directory_csv(5))
    event = next(iter(sorted((home / submission.key.folder / "events").iterdir())))
    event.write_bytes(event.read_bytes().replace(b'"test"', b'"evil"'))
    app = submission_page(submission)
    assert states.STATES[states.DAMAGED][0] in text_of(app)
    assert not app.get("download_button")


def test_kept_rows_that_were_changed_are_said(home: Path) -> None:
    submission = submit(home, broken_directory())
    kept = next((home / submission.key.folder).glob("findings-*.parquet"))
    kept.write_bytes(b"other bytes")
    said = text_of(submission_page(submission))
    assert "the kept table of findings was altered or is missing" in said and "Tell the people who run NMIP." in said
    assert "Withdraw this submission" in said


def test_a_mistake_of_ours_is_one_sentence_and_no_value_is_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Desk) -> None:
        raise ZeroDivisionError("the secret number is 12345")

    monkeypatch.setattr(Desk, "submissions", fail)
    with caplog.at_level(logging.DEBUG):
        app = open_page("my_submissions")
    assert "Something went wrong here, and it is not your doing." in text_of(app)
    assert "ZeroDivisionError at test_submit_pages.py" in caplog.text
    assert "12345" not in caplog.text and "12345" not in text_of(app)


# --- my submissions ---


def test_an_empty_home_says_what_to_do(home: Path) -> None:
    said = text_of(open_page("my_submissions"))
    assert "Nothing was submitted yet." in said and "Submit a file" in said


def test_every_state_of_what_is_expected_is_shown(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    rows = [
        "extract,district,school_year,due_date,declared,reason",
        "school_directory,chicago,2020-21,2020-12-15,,",
        "school_directory,chicago,2021-22,2021-12-15,,",
        "school_directory,chicago,2022-23,2022-12-15,,",
        "school_directory,chicago,2023-24,2199-12-15,,",
        "school_directory,chicago,2024-25,2199-12-15,,",
        "school_directory,chicago,2025-26,2199-12-15,,",
        "curriculum_adoption,chicago,2024-25,2020-01-31,not_provided,No list <b>of</b> titles is kept.",
        "assessment_levels,chicago,2020-21,2020-01-31,not_applicable,No test was given.",
        "school_directory,houston,2024-25,2020-12-15,,",
    ]
    (contracts / "expected.csv").write_text("\n".join([*rows, ""]))
    monkeypatch.setenv("NMIP_CONTRACTS", str(contracts))
    submit(home, broken_directory(), "2021-22")
    desk(home).sign(submit(home, directory_csv(), "2022-23").key.submission_id, "Checked.")
    submit(home, directory_csv(), "2023-24")
    desk(home).sign(submit(home, directory_csv(3, 302), "2024-25").key.submission_id, "Checked.")
    app = open_page("my_submissions")
    badges = [part.value.split("[", 1)[1].rstrip("]") for part in app.markdown if "-badge[" in part.value]
    shown = [badge for badge in badges if badge in words.EXPECTED_WORDS.values()]
    assert shown[:8] == ["Missing", "Late", "In work", "Awaited", "Certified", "Certified late", "Not provided", "Not applicable"]
    assert set(words.EXPECTED_WORDS) == set(EXPECTED_STATES)
    said = text_of(app)
    assert "Of 8 files: 1 missing, 1 late, 1 in work, 1 awaited, 1 certified, 1 certified late" in said
    assert "No list <b>of</b> titles is kept." in said
    assert "Houston" not in said


def test_submissions_are_listed_newest_first_with_a_link_each(home: Path) -> None:
    for n_schools in (3, 4, 5):
        submit(home, directory_csv(n_schools))
    links = [link for link in open_page("my_submissions").get("page_link") if "submission " in link.label]
    assert [link.label.rsplit(" ", 1)[1] for link in links] == ["3", "2", "1"]
    assert next(link.proto.query_string for link in links).endswith("003")


def test_words_are_said_for_every_state() -> None:
    assert set(words.STATE_WORDS) == set(words.NEXT_STEPS) == set(states.STATES)
    assert not [step for step in words.NEXT_STEPS.values() if "nmip" in step], "a page names no command as the next step"


# --- banner, dictionary, receipts ---


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "kind, sentence", [("synthetic", "nothing here describes a real school"), ("public", "not submitted by the districts")]
)
def test_every_page_says_what_kind_of_data_a_home_holds(home: Path, name: str, kind: str, sentence: str) -> None:
    Storage(home).write("home.json", canonical_json({"kind": kind}))
    assert sentence in "".join(str(box.value) for box in open_page(name).info)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_who_is_signed_in_and_has_one_title(home: Path, name: str) -> None:
    app = open_page(name)
    assert "Signed in as ana@example.org for Chicago" in text_of(app)
    assert len(app.title) == 1
    assert not app.info


@pytest.mark.parametrize("extract", ["school_directory", "assessment_levels", "curriculum_adoption"])
def test_the_dictionary_says_columns_codes_and_rules(home: Path, extract: str) -> None:
    app = open_page("dictionary", extract=extract)
    said = text_of(app)
    assert "On this page: [Columns](#columns)" in said
    assert [button.label for button in app.get("download_button")] == ["Template (Excel)", "Template (CSV)"]
    assert "READ-EMPTY" in said and "MAP-LINE-UNACCOUNTED" in said


def test_codes_cannot_put_markup_into_the_dictionary(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, contracts)
    levels = contracts / "codes" / "school_levels.csv"
    lines = levels.read_text().splitlines()
    nasty = "<img src=x onerror=alert(1)>"
    columns = lines[0].split(",")
    levels.write_text("\n".join([*lines, ",".join(["nasty", nasty, *["x"] * (len(columns) - 2)]), ""]))
    monkeypatch.setenv("NMIP_CONTRACTS", str(contracts))
    app = open_page("dictionary", extract="school_directory")
    assert "nasty" in text_of(app)
    assert not [part for part in app.markdown if part.proto.allow_html]


def test_receipts_are_proven_altered_or_not_proven(home: Path) -> None:
    content = directory_csv(5)
    submission = submit(home, content)
    desk(home).sign(submission.key.submission_id, "Checked.")
    receipt = canonical_json(desk(home).receipt(submission.key.submission_id))
    said = text_of(drop(open_page("verify_receipt"), ("r.json", receipt), ("d.csv", content)))
    assert "Proven. The receipt is whole" in said and "it is the receipt that is kept here" in said
    said = text_of(drop(open_page("verify_receipt"), ("r.json", receipt)))
    assert "Not fully proven." in said and "the delivered files were not dropped with it" in said
    altered = canonical_json({**json.loads(receipt), "statement": "Not checked."})
    said = text_of(drop(open_page("verify_receipt"), ("r.json", altered), ("d.csv", content)))
    assert "Altered." in said and "statement was altered" in said
    said = text_of(drop(open_page("verify_receipt"), ("d.csv", content)))
    assert "There is no receipt among these files." in said


def test_a_receipt_of_another_district_is_proven_without_what_is_kept_here(home: Path) -> None:
    content = directory_csv(5)
    submission = submit(home, content, district="houston")
    desk(home).sign(submission.key.submission_id, "Checked.")
    receipt = canonical_json(desk(home).receipt(submission.key.submission_id))
    said = text_of(drop(open_page("verify_receipt"), ("r.json", receipt), ("d.csv", content)))
    assert "Proven. The receipt is whole" in said and "kept here" not in said


# --- words and downloads ---


@pytest.mark.parametrize("value", ["", "a", "`", "``x`", " x ", "a`b``c", ":material/delete:", "$x$", "|"])
def test_a_value_in_code_is_closed_by_its_own_fence_only(value: str) -> None:
    text = words.exact(value)
    if not value:
        assert text == words.BLANK
        return
    fence = text[: len(text) - len(text.lstrip("`"))]
    inner = text[len(fence) : -len(fence)]
    assert fence not in inner.replace(f"`{fence}", "") and text.endswith(fence)
    assert value in inner.replace(WORD_JOINER, "")


def test_text_from_files_makes_no_markdown_link_picture_or_arrow() -> None:
    said = words.said("**a** [b](javascript:x) :red[c] $d$ :smile: :material/delete: e@f.org www.g.org -> <h>")
    assert "\\*\\*a\\*\\*" in said and "\\[b\\]" in said and "\\$d\\$" in said and "\\<h\\>" in said
    for broken in (":smile", ":material", ":red", "e@f", "www.g", "->"):
        assert broken not in said
    assert said.replace(WORD_JOINER, "").replace("\\", "").startswith("**a** [b](javascript:x) :red[c]")


def test_lines_that_do_not_add_up_say_so() -> None:
    whole = {"in": 1_240, "used": 1_200, "dropped": {"other_district": 40}}
    assert words.accounting("line", whole) == "1,240 lines in = 1,200 used + 40 dropped (40 other district)."
    assert words.accounting("line", {**whole, "used": 1_199}).endswith("1 line missing.")
    assert words.accounting("row", {}) == "The rows were not counted."


@pytest.mark.parametrize(
    "name, cleaned",
    [
        ("levels.csv", "levels.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a|b?.csv", "ab.csv"),
        (".hidden", "hidden"),
        ("a\u202egpj.csv", "agpj.csv"),
        ("<>", "file"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_names_of_downloads_are_no_paths_and_hide_nothing(name: str, cleaned: str) -> None:
    assert downloads.clean(name) == cleaned


def test_an_archive_holds_every_file_under_a_name_of_its_own() -> None:
    files = [DeliveredFile(name, name.encode()) for name in ("a.csv", "A.csv", "x/a.csv", "b", "b")]
    with zipfile.ZipFile(io.BytesIO(downloads.zipped(files))) as archive:
        assert archive.namelist() == ["a.csv", "A_2.csv", "a_3.csv", "b", "b_2"]
        assert archive.read("a_3.csv") == b"x/a.csv"


def test_downloaded_tables_hold_no_formula() -> None:
    table = pl.DataFrame({"field": ["=1+1", "-5", "@x", "plain"], "n": [1, 2, 3, 4]})
    cells = [row[0] for row in csv.reader(io.StringIO(downloads.csv_of(table).decode("utf-8-sig")))][1:]
    assert cells == ["'=1+1", "-5", "'@x", "plain"]

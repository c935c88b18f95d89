"""What stands around every Submit page: the way in, the banner, who is signed in, one style, and errors in plain words.

What a page shows does not belong here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import streamlit as st

from dashboards.submit_pages.identity import Caller, NoIdentity, NotSignedIn, caller
from dashboards.submit_pages.words import exact, said
from pipelines.contracts.codes import code_list
from pipelines.contracts.contract import ContractError, load_contract
from pipelines.home import home_kind
from pipelines.intake.desk import Desk
from pipelines.intake.expected import ExpectedListError
from pipelines.intake.submission import SubmissionRefused
from pipelines.settings import Settings, SettingsError
from pipelines.storage import Storage
from pipelines.wording.labels import listed

SUBMIT_PAGE = "submit_pages/submit_file.py"
SUBMISSION_PAGE = "submit_pages/submission.py"
SUBMISSIONS_PAGE = "submit_pages/my_submissions.py"
DICTIONARY_PAGE = "submit_pages/dictionary.py"
VERIFY_PAGE = "submit_pages/verify_receipt.py"

BANNERS = {
    "synthetic": "**Synthetic data:** a demonstration with invented districts' numbers; nothing here describes a real school.",
    "public": "**Real public files, as published;** not submitted by the districts. Do not sign anything here in earnest.",
}
# Constant, and about looks only. Links look like links; values look like the text around them; a place to drop files is seen.
STYLE = """
[data-testid="stMainBlockContainer"] { padding-top: 4.5rem; max-width: 76rem; }
[data-testid="stHeading"] h1 { padding-top: 0; }
[data-testid="stMain"] code { color: inherit; font-size: 0.9em; padding: 0 0.15em; }
[data-testid="stMain"] code { white-space: pre-wrap; overflow-wrap: anywhere; }
[data-testid="stMarkdownContainer"] table { display: block; max-width: 100%; overflow-x: auto; }
[data-testid="stMarkdownContainer"] th, [data-testid="stMarkdownContainer"] td { min-width: 5rem; }
[data-testid="stMarkdownContainer"] td:last-child { min-width: 14rem; }
[data-testid="stMarkdownContainer"] td:first-child code { white-space: nowrap; }
[data-testid="stTable"] td > div { max-width: 40rem !important; }
[data-testid="stTable"] code { background: transparent; padding: 0; }
[data-testid="stPageLink-NavLink"] p { color: #0B5394; text-decoration: underline; }
[class*="st-key-item-"] { border-top: 1px solid #CBD2DB; padding-top: 0.35rem; }
[data-testid="stFileUploaderDropzone"] { min-height: 6.5rem; border: 1px dashed #56616F; }
[data-testid="stFileUploaderDropzoneInstructions"] { display: none; }
"""
WENT_WRONG = (
    "Something went wrong here, and it is not your doing. Load the page again; if it happens again, tell the people who run "
    "NMIP what you were about to do. What was submitted, acknowledged or signed before is kept."
)


def open_desk(keeps_upload: bool = False) -> Desk:
    """The submissions as whoever is asking may see and change them. Raises NotSignedIn, NoIdentity, SubmissionRefused.

    Unless the page `keeps_upload`, what was found in one is forgotten: it may be large.
    """
    if not keeps_upload:
        st.session_state.pop("checked", None)
    return _desk_of(Settings.from_environment())[0]


def _desk_of(settings: Settings) -> tuple[Desk, Caller]:
    who = caller(settings)
    return Desk(Storage(settings.home), settings.contracts, who.identity, settings.indicator_sql), who


def enter() -> bool:
    """Draw what stands above every page; False, with the reason on the page, where nothing may be shown to whoever asks."""
    st.html(f"<style>{STYLE}</style>")
    try:
        with plainly():
            desk, who = _desk_of(Settings.from_environment())
            return _head(desk, who)
    except NotSignedIn as reason:
        _sign_in(reason.providers)
    except NoIdentity as reason:
        _alone("These pages are closed", str(reason))
    return False


def _head(desk: Desk, who: Caller) -> bool:
    kind = home_kind(desk.store.storage)
    if kind in BANNERS:
        st.info(BANNERS[kind], icon=":material/info:")
    districts = [district_label(desk.contracts_folder, code) for code in desk.districts()]
    if not districts:
        how = "in the list of signers (NMIP_SIGNERS)" if who.is_single_sign_on else "in NMIP_DISTRICTS"
        _alone(
            "No district yet",
            f"You are signed in as {exact(who.identity.user)}, but act for no district. Ask the people who run NMIP to name you "
            f"{how}.",
        )
    else:
        whom = "all districts" if who.identity.districts is None else listed(districts)
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(f"Signed in as {exact(who.identity.user)} for **{said(whom)}**", width="content")
            if who.is_single_sign_on:
                _sign_out()
        return True
    if who.is_single_sign_on:
        _sign_out()
    return False


def _sign_out() -> None:
    if st.button("Sign out", key="sign-out", type="tertiary", icon=":material/logout:"):
        st.logout()


def _sign_in(providers: tuple[str | None, ...]) -> None:
    _alone("Sign in", "These pages show a district's own numbers to those who act for it.")
    for provider in providers:
        if st.button(f"Sign in with {said(provider)}" if provider else "Sign in", key=f"sign-in.{provider}", type="primary"):
            st.login(provider)


def _alone(title: str, sentence: str) -> None:
    st.title(title, anchor=False)
    st.markdown(sentence)


@contextmanager
def plainly() -> Iterator[None]:
    """Show what cannot be carried out as a sentence. A mistake of ours is logged by type and place: never with a value."""
    try:
        yield
    except (NotSignedIn, NoIdentity):
        raise
    except (SubmissionRefused, SettingsError, ExpectedListError, ContractError) as reason:
        st.error(sentence(reason), icon=":material/block:")
    except Exception as error:  # noqa: BLE001 - its text and its traceback may hold a district's numbers
        logging.getLogger(__name__).error("a Submit page failed: %s at %s", type(error).__name__, _place(error))
        st.error(WENT_WRONG, icon=":material/error:")


def _place(error: BaseException) -> str:
    trace, place = error.__traceback__, "an unknown place"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def sentence(reason: object) -> str:
    """What an exception or a finding says, as a sentence of Markdown. A name or an id at its beginning stays as it is."""
    text = said(str(reason).strip())
    first = text[:1].upper() if re.match(r"(the|there|an?|event|its?|this|these|no|nothing|what) ", text) else text[:1]
    return f"{first}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def district_label(contracts_folder: Path, district: str) -> str:
    """A district's name: `Los Angeles`."""
    return str(code_list(contracts_folder, "districts").row(by_predicate=pl.col("code") == district, named=True)["label"])


def extract_label(contracts_folder: Path, extract: str) -> str:
    """An extract's name: `Assessment levels`."""
    return load_contract(contracts_folder, extract).title

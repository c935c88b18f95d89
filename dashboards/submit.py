"""Routes of the Submit pages. Run with `streamlit run dashboards/submit.py --server.port 8502 --server.address localhost`.

`NMIP_HOME` names the home that files are submitted to. A process of its own, since it sees a district's unprotected numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

# Streamlit puts this file's folder on the path, not the project's.
PROJECT_ROOT = str(Path(__file__).resolve().parent.parent)
if PROJECT_ROOT not in sys.path:
    sys.path.insert(0, PROJECT_ROOT)

from dashboards.submit_pages import frame  # noqa: E402

st.set_page_config(layout="wide", initial_sidebar_state="collapsed")
is_known = frame.enter()
page = st.navigation(
    [
        st.Page(frame.SUBMIT_PAGE, title="Submit a file", default=True),
        st.Page(frame.SUBMISSIONS_PAGE, title="My submissions"),
        st.Page(frame.DICTIONARY_PAGE, title="Dictionary"),
        st.Page(frame.VERIFY_PAGE, title="Verify a receipt"),
        st.Page(frame.SUBMISSION_PAGE, title="Submission", visibility="hidden"),
    ],
    position="top" if is_known else "hidden",
)
st.set_page_config(page_title=f"{page.title}, NMIP")
if is_known:
    with frame.plainly():
        page.run()

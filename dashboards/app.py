"""Routes of the dashboard. Run with `streamlit run dashboards/app.py`; `NMIP_HOME` names the home whose release is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

# Streamlit puts this file's folder on the path, not the project's.
PROJECT_ROOT = str(Path(__file__).resolve().parent.parent)
if PROJECT_ROOT not in sys.path:
    sys.path.insert(0, PROJECT_ROOT)

from dashboards import release_data  # noqa: E402
from dashboards.components import frame  # noqa: E402
from dashboards.components.words import PAGES  # noqa: E402
from pipelines.release.reader import NoRelease  # noqa: E402
from pipelines.wording.labels import CHALLENGES  # noqa: E402

st.set_page_config(page_title="National Math Improvement Project", layout="wide", initial_sidebar_state="collapsed")
page = st.navigation(
    {
        "": [
            st.Page("app_pages/overview.py", title="Overview", default=True),
            *(st.Page(f"app_pages/{PAGES[code]}.py", title=title) for code, title in CHALLENGES.items()),
            st.Page("app_pages/district_profile.py", title="District profile"),
            st.Page("app_pages/briefings.py", title="Briefings"),
        ],
        "Data": [
            st.Page("app_pages/data_quality.py", title="Data quality"),
            st.Page("app_pages/definitions.py", title="Definitions"),
            st.Page("app_pages/methods.py", title="Methods"),
            st.Page("app_pages/back_test.py", title="Back-test"),
            st.Page("app_pages/comparable.py", title="What would make this comparable"),
        ],
    },
    position="top",
)
shown = None
try:
    release = release_data.current_release()
    shown = release.release_id
    frame.banner(release)
    page.run()
    frame.footer(release)
except NoRelease as reason:
    frame.no_release(reason)
frame.watch(shown)

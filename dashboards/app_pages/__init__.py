"""One script for each page of the dashboard, run by Streamlit and not meant to be imported.

A page chooses what to show and in which order; queries belong in `release_data`, drawing and wording in `components`.
"""

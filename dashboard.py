"""The dashboard: ``streamlit run dashboard.py``."""

from __future__ import annotations

import os

# One thread each: sessions share the cores, and small matrix products only get slower by sharing.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import streamlit as st

from explorer.app import cache, state, theme

PAGES = "explorer/app/pages"

st.set_page_config(page_title="Gradient Explorer", page_icon="📉", layout="wide")
theme.apply()
cache.warm_up()
page = st.navigation(
    [
        st.Page(
            f"{PAGES}/gradient_flow.py", title="Gradient flow", icon=":material/trending_down:", default=True
        ),
        st.Page(f"{PAGES}/gates.py", title="Gates", icon=":material/tune:"),
        st.Page(f"{PAGES}/compare.py", title="Compare architectures", icon=":material/balance:"),
        st.Page(f"{PAGES}/regimes.py", title="Regimes", icon=":material/map:"),
        st.Page(f"{PAGES}/learning.py", title="Learning", icon=":material/school:"),
        st.Page(f"{PAGES}/attention.py", title="Attention", icon=":material/hub:"),
        st.Page(f"{PAGES}/decoding.py", title="Decoding", icon=":material/account_tree:"),
    ],
    position="top",
)
state.visit(page.url_path)
page.run()

"""Spacing that Streamlit offers no setting for: a projector shows 720 lines, and figures should get them."""

from __future__ import annotations

import streamlit as st

_CSS = """
<style>
[data-testid="stHeader"] { height: 2.6rem; min-height: 2.6rem; }
[data-testid="stMainBlockContainer"] { padding: 2.9rem 1.25rem 1rem; }
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] { gap: 0.5rem; }
[data-testid="stSidebarHeader"] { height: 2.25rem; margin: 0; padding: 0.25rem 0.5rem 0; }
[data-testid="stSidebarUserContent"] { padding-top: 0; }
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] { gap: 0.35rem; }
[data-testid="stSidebarUserContent"] [data-testid="stMarkdownContainer"]:has(h4) { margin-bottom: 0; }
[data-testid="stSidebarUserContent"] h4 { padding: 0.5rem 0 0.2rem; }
[data-testid="stSidebarUserContent"] [data-testid="stWidgetLabel"] { min-height: 1.2rem; margin-bottom: 0; }
[data-testid="stExpander"] .katex { font-size: 0.9em; }
[data-testid="stExpander"] .katex-display { margin: 0.5em 0; overflow: visible; }
[data-testid="stMarkdownContainer"]:has(> table) { overflow-x: auto; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.5rem 0.6rem 1rem; }
  [data-testid="stExpander"] .katex-display { overflow: auto hidden; margin: 0; padding: 0.5em 0; }
}
</style>
"""


def apply() -> None:
    """Put the spacing into the page."""
    st.html(_CSS)

"""Plotly's script for the browser, served by Streamlit from the installed ``plotly`` package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import plotly
from streamlit.components.v1 import declare_component

__all__ = ["plotly_script_path"]


@cache
def _package_data() -> Path:
    folder = Path(plotly.__file__).parent / "package_data"
    if not (folder / "plotly.min.js").is_file():
        raise FileNotFoundError(f"the installed plotly package holds no plotly.min.js in {folder}")
    return folder


def plotly_script_path() -> str:
    """Return the script's path relative to the app's root; call it inside a script run.

    Streamlit serves the folder of a declared component, so the page needs neither a CDN nor a copy of the
    script. Declaring is repeated in every run because each server (and test runtime) has its own registry.
    """
    component = declare_component("plotly", path=_package_data())
    return f"component/{component.name}/plotly.min.js?v={plotly.__version__}"

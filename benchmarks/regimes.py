"""The six sections of the page Regimes in a real browser: key press to new picture beside the smallest app.

Clock, floor and order as in ``page.py``: an arrow key on one slider of each section, to the first animation
frame after all figures in the window are drawn. The phase diagram's picture is its coarse one of new values.

    python benchmarks/regimes.py
"""

from __future__ import annotations

import sys

from _browser import Malfunction, floor_and_ours, measure, open_page, report
from playwright.sync_api import Error

KNOBS = {
    "phase": "bias",
    "lyapunov": "weight scale",
    "mean_field": "weights σ_w",
    "non_normal": "non-normality s",
    "tied": "gain g",
    "fixed": "weight w",
}


def main() -> None:
    """Measure and print."""
    with floor_and_ours() as (browser, floor, ours):
        address = f"{ours}/regimes?view.regime="
        cases = [open_page(browser, name, address + name, knob=knob) for name, knob in KNOBS.items()]
        measure([floor, *cases])
        report([floor, *cases])


if __name__ == "__main__":
    try:
        main()
    except (Malfunction, Error) as problem:
        sys.exit(f"regimes.py: {problem}")

"""The page in a real browser: key press to new picture beside the smallest Streamlit app, and scrubbing.

Five pages are open in one headless Chromium (1280 × 720) and measured in turn: the floor, an app of one
slider and one ``st.plotly_chart`` of 100 points (``_floor_app.py``, Streamlit's default settings); the
gradient flow page at its defaults; the same with an LSTM; the pages Gates and Compare at their defaults (all
with the repository's config.toml).

* key → picture: from the keydown event of an arrow key on the weight scale slider to the first animation
  frame after all figures are drawn of which at least a third is in the window; the others follow. On the
  floor: after the first change of its curve. First on values never computed before, then back over the same
  values, now cached. What a page computes after its picture is waited for before the next page is pressed.
* scrubbing: the slider inside the gradient figure is dragged with the mouse through its whole range and
  back; from the input event to the animation frame after the new curves.

Fails when a picture does not come or the drag talks to the server; never because something is slow.

    python benchmarks/page.py
"""

from __future__ import annotations

import sys
from statistics import median, quantiles

from _browser import Malfunction, floor_and_ours, measure, open_page, report
from playwright.sync_api import Error

FRAME_GOAL = 33  # milliseconds


def main() -> int:
    """Measure, print, and say whether everything happened."""
    silent = True
    with floor_and_ours() as (browser, floor, ours):
        flow = [
            open_page(browser, "gradient flow, defaults", ours),
            open_page(browser, "gradient flow, LSTM", f"{ours}/?cell=lstm"),
        ]
        others = [
            open_page(browser, "gates", f"{ours}/gates"),
            open_page(browser, "compare architectures", f"{ours}/compare"),
        ]
        measure([floor, *flow, *others])
        report([floor, *flow, *others])
        print(
            f"\n{'scrubbing, ms a frame':24s} {'median':>7s} {'p95':>6s} {'max':>6s} {'frames':>7s} messages"
        )
        for case in flow:
            frames, sent = case.scrub()
            silent &= sent == 0
            p95 = quantiles(frames, n=20, method="inclusive")[-1]
            times = f"{median(frames):7.0f} {p95:6.0f} {max(frames):6.0f}"
            print(f"{case.name:24s} {times} {len(frames):7d} {sent:8d}")
        print(f"goal: no frame above {FRAME_GOAL} ms at the defaults, and no message to the server.")
    if not silent:
        print("The drag spoke to the server.", file=sys.stderr)
    return 0 if silent else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Malfunction, Error) as problem:
        sys.exit(f"page.py: {problem}")

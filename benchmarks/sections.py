"""Sections of pages in a real browser: key press to new picture beside the smallest app.

Clock, floor and order as in ``page.py``: an arrow key on one slider of each section, to the first animation
frame after all figures in the window are drawn. The phase diagram's picture is its coarse one of new values.
Sections without a slider of many values are left out.

    python benchmarks/sections.py [regimes] [attention] [decoding]
"""

from __future__ import annotations

import sys

from _browser import Malfunction, floor_and_ours, measure, open_page, report
from playwright.sync_api import Error

KNOBS = {
    "regimes": {
        "regime=phase": "bias",
        "regime=lyapunov": "weight scale",
        "regime=mean_field": "weights σ_w",
        "regime=non_normal": "non-normality s",
        "regime=tied": "gain g",
        "regime=fixed": "weight w",
    },
    "attention": {
        "attention=map": "source length",
        "attention=score&view.attn_step=1&view.attn_target=20": "decoder step j",
        "attention=objectives&view.objective_draw=1": "draw",
        "attention=memory": "story",
    },
    "decoding": {
        "decoding=search&view.beam_norm=power": "exponent α",
        "decoding=sampling": "temperature T",
    },
}
"""Page → view → label of a slider."""


def main() -> None:
    """Measure the named pages, or all, and print."""
    for path in sys.argv[1:] or KNOBS:
        if path not in KNOBS:
            raise Malfunction(f"no page {path!r}; choose from {', '.join(KNOBS)}")
        with floor_and_ours() as (browser, floor, ours):
            cases = [
                open_page(browser, view.partition("&")[0], f"{ours}/{path}?view.{view}", knob=knob)
                for view, knob in KNOBS[path].items()
            ]
            measure([floor, *cases])
            report([floor, *cases])


if __name__ == "__main__":
    try:
        main()
    except (Malfunction, Error) as problem:
        sys.exit(f"sections.py: {problem}")

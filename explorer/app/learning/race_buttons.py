"""The buttons of a race, and what should come of it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.app import own_runs
from explorer.app.learning.race_setting import Lane, Setting, known_race
from explorer.app.learning.race_words import prediction
from explorer.app.run_buttons import rewind_slider, run_buttons
from explorer.training.run import Run
from explorer.training.runs import Race


def buttons(found: Setting, race: Race[Run] | None, lanes: Sequence[Lane], *, rewinds: bool = True) -> None:
    """Train, pause, go on, a few steps, and rewind where that is wanted; a known race says how it ends."""
    wide, last = st.columns([7, 1.6], vertical_alignment="center")
    known = known_race()
    if known is not None:
        with last.popover("What should happen?", type="tertiary", width="stretch"):
            st.markdown(f"**{known.question}** {known.outcome}")

    def start(goal: int | None) -> None:
        own_runs.start([Run(recipe, goal) for recipe in found.recipes])

    with wide:
        run_buttons(
            race,
            start,
            prefix="race",
            caption=prediction(lanes) or "Nothing is trained yet.",
            resting=rewind_slider if rewinds else None,
        )

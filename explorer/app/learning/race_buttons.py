"""The buttons of a race, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.app import cache
from explorer.app.learning.race_setting import Lane, Setting, known_race, session
from explorer.app.learning.race_words import prediction
from explorer.training.run import Run
from explorer.training.runs import Race

FEW = 10  # steps of the button that trains a little


def buttons(found: Setting, race: Race[Run] | None, lanes: Sequence[Lane], *, rewinds: bool = True) -> None:
    """Train, pause, go on, a few steps, and rewind where that is wanted."""
    first, second, wide, last = st.columns([1, 1, 5, 1.6], vertical_alignment="center")
    known = known_race()
    if known is not None:
        with last.popover("What should happen?", type="tertiary", width="stretch"):
            st.markdown(f"**{known.question}** {known.outcome}")

    def button(
        place: st.delta_generator.DeltaGenerator, label: str, key: str, act: Callable[[], None]
    ) -> None:
        place.button(
            label,
            key=f"race:{key}",
            on_click=act,
            width="stretch",
            type="primary" if key == "train" else "secondary",
            disabled=key in ("go", "few") and ended,
        )

    ended = race is not None and all(run.is_over for run in race.runs)
    if race is None:
        button(first, "Train", "train", lambda: _start(found))
        button(second, f"{FEW} steps", "few", lambda: _start(found, FEW))
        wide.caption(prediction(lanes) or "Nothing is trained yet.")
    elif race.busy:
        button(first, "Pause", "pause", lambda: _each(race, Run.pause))
        button(second, "Stop", "stop", race.stop)
        wide.progress(*_progress(race))
    else:
        button(first, "Go on", "go", lambda: _each(race, Run.go))
        if ended:
            button(second, "Train again", "again", lambda: _start(found))
        else:
            button(second, f"{FEW} steps", "few", lambda: _each(race, lambda run: run.go(FEW)))
        if rewinds and not any(run.state == "stopped" for run in race.runs):
            with wide:
                _rewinder(race)


def _rewinder(race: Race[Run]) -> None:
    """Back to any recorded step; the same seed gives the same run again."""
    now = max(run.training.step for run in race.runs)
    recorded = max((run.training.recorded.tolist() for run in race.runs), key=len)
    moments = sorted({*recorded, now})
    if len(moments) < 2:
        st.caption("At the start: *Go on* trains the networks on the same batches as before.")
        return
    st.session_state["race:rewind"] = now

    def take() -> None:
        step = int(st.session_state["race:rewind"])
        if step < now:
            _each(race, lambda run: run.rewind(step))

    st.select_slider(
        "training step (drag back to rewind)",
        moments,
        key="race:rewind",
        on_change=take,
        help="The networks go back to this step; *Go on* trains them again with the same batches.",
    )


def _start(found: Setting, goal: int | None = None) -> None:
    cache.runs().start(session(), [Run(recipe, goal) for recipe in found.recipes])


def _each(race: Race[Run], tell: Callable[[Run], None]) -> None:
    for run in race.runs:
        tell(run)
    cache.runs().fill()


def _progress(race: Race[Run]) -> tuple[float, str]:
    """Share done, and in words: steps, speed, time left."""
    done, total = sum(run.training.step for run in race.runs), sum(run.recipe.steps for run in race.runs)
    waiting = sum(run.state == "waiting" for run in race.runs)
    if waiting:
        ahead = cache.runs().ahead_of(race.owner)
        return done / total, f"{waiting} networks wait for a place; {ahead} of other people come first"
    if not done:
        return 0.0, "starting …"
    speed = sum(run.training.step / run.seconds for run in race.runs if run.seconds)
    left = max(run.seconds_left for run in race.runs)
    return done / total, f"{done:,} of {total:,} steps · {speed:.0f} a second · {left:.0f} s left"

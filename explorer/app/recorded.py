"""The recorded steps of networks in training: which one is looked at, and how to go back to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import streamlit as st

from explorer.app import state
from explorer.app.run_buttons import AnyRace, rewind_button
from explorer.app.taught_choices import NEWEST


class Recorded(Protocol):
    """What was recorded at one training step."""

    @property
    def step(self) -> int:
        """After how many updates of the weights."""
        ...


OneRecord = TypeVar("OneRecord", bound=Recorded)


def moment_of(moments: Sequence[OneRecord], wanted: int) -> OneRecord:
    """The newest record, or the last one that is not after the wanted step."""
    if wanted == NEWEST:
        return moments[-1]
    return next(moment for moment in reversed(moments) if moment.step <= wanted)


def look_at_newest(name: str) -> Callable[[], None]:
    """For ``run_buttons``: what sets the field ``name`` of the view to the newest step."""
    return lambda: state.look(**{name: NEWEST})


def look_back(name: str, moments: Sequence[Recorded], label: str) -> Callable[[AnyRace, str], None]:
    """For ``run_buttons``: a slider over the recorded steps, and a button that rewinds to the chosen one.

    Args:
        name: the field of the view that keeps the step.
        moments: of the network that is looked at.
        label: of the slider.
    """

    def draw(race: AnyRace, prefix: str) -> None:
        now = moment_of(moments, getattr(state.view(), name)).step
        act, look = st.columns([1.3, 3.7], vertical_alignment="center")
        with act:
            rewind_button(race, prefix, now, look_at_newest(name))
        with look:
            _slider(name, [moment.step for moment in moments], now, label, _done(race))

    return draw


def _done(race: AnyRace) -> int:
    """At which step the networks rest."""
    return max(int(run.progress.step) for run in race.runs)


def _slider(name: str, steps: list[int], now: int, label: str, done: int) -> None:
    if not done:
        st.caption("At the start: *Go on* trains the networks on the same batches as before.")
        return
    if len(steps) < 2:
        st.caption(f"At step {done:,}, between two records: what is drawn below is step {steps[0]}.")
        return
    if done > steps[-1]:
        label = f"{label}; now at {done:,}, between two records"
    key = f"view:{name}"
    st.session_state[key] = now

    def take() -> None:
        step = int(st.session_state[key])
        state.look(**{name: NEWEST if step == steps[-1] else step})

    st.select_slider(label, steps, key=key, on_change=take)

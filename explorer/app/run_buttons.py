"""The buttons of networks in training, and how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import streamlit as st

from explorer.app import cache, sections
from explorer.training.run import RemoteRun
from explorer.training.runs import Race

_LIVES = "The networks live as long as this page: loading it again or closing it ends them."
FEW = 10  # steps of the button that trains a little
AnyRace: TypeAlias = Race[RemoteRun[Any, Any]]


def rewind_slider(race: AnyRace, prefix: str) -> None:
    """A slider over all recorded steps; the networks go back to where it is dragged."""
    if not race.can_rewind:
        return
    now = max(run.progress.step for run in race.runs)
    steps = sorted({*max((run.recorded for run in race.runs), key=len), now})
    if len(steps) < 2:
        st.caption("At the start: *Go on* trains the networks on the same batches as before.")
        return
    key = f"{prefix}:rewind"
    st.session_state[key] = now

    def take() -> None:
        step = int(st.session_state[key])
        if step < now:
            race.rewind(step)

    st.select_slider(
        "training step (drag back to rewind)",
        steps,
        key=key,
        on_change=take,
        help="The networks go back to this step; *Go on* trains them again with the same batches.",
    )


def rewind_button(race: AnyRace, prefix: str, step: int, then: Callable[[], None]) -> None:
    """A button that takes the networks back to the recorded step that is shown, and then calls ``then``."""
    now = max(run.progress.step for run in race.runs)

    def back() -> None:
        race.rewind(step)
        then()

    st.button(
        f"Rewind to {step}" if step < now else "Rewind",
        key=f"{prefix}:rewind",
        on_click=back,
        width="stretch",
        disabled=step >= now or not race.can_rewind,
        help="The networks go back to the shown step; *Go on* trains them again with the same batches.",
    )


def say_what_failed(title: str, run: RemoteRun[Any, Any] | None, diverged: str) -> None:
    """A warning for a run whose process ended, and one for a run that diverged."""
    for sentence in (run.failed if run else "", diverged):
        if sentence:
            st.warning(f"{sections.literal(title)}: {sections.literal(sentence)}", icon="⚠️")


def run_buttons(
    race: AnyRace | None,
    start: Callable[[int | None], None],
    *,
    prefix: str,
    caption: str = "Nothing is trained yet.",
    resting: Callable[[AnyRace, str], None] | None = rewind_slider,
    going: Callable[[], None] = lambda: None,
) -> None:
    """Two buttons that fit what the networks do, and beside them how far they are.

    Args:
        race: the networks, if their training was started.
        start: starts it; takes the step at which they rest, or None for the end.
        prefix: of the widgets' keys, e.g. "race" for ``race:train``.
        caption: stands beside the buttons before anything is trained.
        resting: draws what stands there while the networks rest, from the race and the prefix.
        going: is called when the networks are told to train.
    """
    first, second, wide = st.columns([1, 1, 5], vertical_alignment="center")

    def button(place: Any, label: str, name: str, act: Callable[[], None], *, off: bool = False) -> None:
        place.button(
            label,
            key=f"{prefix}:{name}",
            on_click=act,
            width="stretch",
            type="primary" if name == "train" else "secondary",
            disabled=off,
            help=_LIVES if name == "train" else None,
        )

    def begin(goal: int | None = None) -> None:
        going()
        start(goal)

    def go(count: int | None = None) -> None:
        going()
        assert race is not None
        race.go(count)
        cache.runs().fill()

    if race is None:
        button(first, "Train", "train", begin)
        button(second, f"{FEW} steps", "few", lambda: begin(FEW))
        wide.caption(caption)
    elif race.busy:
        button(first, "Pause", "pause", race.pause)
        button(second, "Stop", "stop", race.stop)
        wide.progress(*_progress(race))
    else:
        button(first, "Go on", "go", go, off=race.is_over)
        if race.is_over:
            button(second, "Train again", "again", begin)
        else:
            button(second, f"{FEW} steps", "few", lambda: go(FEW))
        if resting is not None:
            with wide:
                resting(race, prefix)


def _progress(race: AnyRace) -> tuple[float, str]:
    """Share done, and in words: steps, speed, time left."""
    done, total = sum(run.progress.step for run in race.runs), sum(run.recipe.steps for run in race.runs)
    waiting = sum(run.state == "waiting" for run in race.runs)
    if waiting:
        ahead = cache.runs().ahead_of(race)
        who = "1 network waits" if waiting == 1 else f"{waiting} networks wait"
        return done / total, f"{who} for a place; {ahead} of other people come first"
    if not done:
        return 0.0, "starting …"
    speed = sum(run.progress.step / run.seconds for run in race.runs if run.seconds)
    left = max(run.seconds_left for run in race.runs)
    return done / total, f"{done:,} of {total:,} steps · {speed:.0f} a second · {left:.0f} s left"

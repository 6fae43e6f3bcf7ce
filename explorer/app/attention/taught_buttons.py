"""Train the networks of the section Training, and choose whose weights are looked at, and when."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.app import state
from explorer.app.attention.taught import Pupil, start, started
from explorer.app.recorded import look_at_newest, look_back
from explorer.app.run_buttons import run_buttons


def is_busy() -> bool:
    """Whether the networks are being trained."""
    race = started(state.view())
    return race is not None and race.busy


def shown_of(there: Sequence[Pupil]) -> int:
    """The place of the network that is looked at."""
    return min(state.view().taught_shown, len(there) - 1)


def buttons(there: Sequence[Pupil]) -> None:
    """What the networks are told, and beside it what is looked at: whose weights, at which step."""
    told, whose = st.columns([5.6, 1.4], vertical_alignment="center")
    with whose:
        _menu("taught_shown", shown_of(there), {str(k): pupil.title for k, pupil in enumerate(there)})
    moments = there[shown_of(there)].learning.moments
    with told:
        run_buttons(
            started(state.view()),
            start,
            prefix="taught",
            caption="Nothing is trained yet.",
            resting=look_back("taught_moment", moments, "weights at training step"),
            going=look_at_newest("taught_moment"),
        )


def _menu(name: str, shown: int, titles: dict[str, str]) -> None:
    """The menu of networks; the view keeps the number."""
    key = f"view:{name}"
    st.session_state[key] = str(shown)

    def take() -> None:
        state.look(**{name: int(st.session_state[key])})

    st.selectbox(
        "network",
        list(titles),
        key=key,
        on_change=take,
        format_func=titles.__getitem__,
        label_visibility="collapsed",
    )

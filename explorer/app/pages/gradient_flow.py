"""Gradient flow: where the gradient goes in one recurrent network, and who killed it."""

from __future__ import annotations

import streamlit as st

from explorer.app import cache, choices, controls, sections, state
from explorer.lessons.presets import PRESETS
from explorer.trace import TooLarge

KEY = "flow"


def top_row() -> None:
    """The choices that a lecturer makes most; the weight scale is the slider in the main figure."""
    preset, cell, initializer, actions = st.columns([1.2, 1.1, 1.0, 1.75], vertical_alignment="bottom")
    with preset:
        choices.preset_menu(PRESETS)
    with cell:
        controls.control("cell")
    with initializer:
        controls.control("initializer")
    with actions:
        choices.action_buttons()


def side_bar() -> None:
    """All other settings, and how the picture is looked at."""
    with st.sidebar:
        controls.settings()
        controls.group("view", "View: sample and knob", choices.view_controls)


@st.fragment
def picture() -> None:
    """Verdict, figures, equations and proofs; moving the time cursor runs this part alone."""
    if state.outdated():
        st.rerun()  # the slider in the figure changed a setting: the controls must follow
    experiment = sections.cell_alone()
    try:
        trace = cache.trace_of(experiment)
    except TooLarge as error:
        st.error(f"{error} Nothing was computed; your settings are kept.", icon="⚠️")
        return
    found = cache.measured(experiment)
    sections.verdict(trace, found, PRESETS)
    rests = sections.figure_panel(KEY, trace, found)
    sections.equations(trace)
    sections.take_away(experiment)
    sections.truth_meter(experiment, rests)
    if rests:
        sections.range_of_knob(KEY, trace)


state.begin()
state.mark_drawn()
head, body = st.container(), st.container()
with body:  # first, so that the picture need not wait for the controls
    picture()
with head:
    sections.notices()
    top_row()
side_bar()

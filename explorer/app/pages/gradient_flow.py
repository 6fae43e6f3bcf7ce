"""Gradient flow: where the gradient goes in one recurrent network, and who killed it."""

from __future__ import annotations

import streamlit as st

from explorer.app import cache, choices, controls, sections, state
from explorer.lessons.presets import PRESETS
from explorer.trace import TooLarge

KEY = "flow"


def top_row() -> None:
    """The choices that a lecturer makes most; the weight scale is the slider in the main figure."""
    preset, cell, initializer, actions = st.columns([1.3, 0.9, 1.1, 1.75], vertical_alignment="bottom")
    with preset:
        choices.preset_menu(PRESETS)
    with cell:
        controls.control("cell")
    with initializer:
        controls.control("initializer")
    with actions:
        choices.action_buttons()


def side_bar() -> None:
    """All other settings, in the order in which a network is thought of."""
    with st.sidebar:
        st.markdown("#### Network")
        controls.control("weight_scale")
        controls.fields_of("cell")
        controls.fields_of("initializer")
        for path in ("hidden_size", "num_steps", "batch_size"):
            controls.control(path)
        st.markdown("#### Input and loss")
        controls.control("signal")
        controls.fields_of("signal")
        controls.control("input_scale")
        controls.control("loss")
        controls.fields_of("loss")
        st.markdown("#### Start and precision")
        for path in ("bias_scale", "initial_scale", "seed", "dtype"):
            controls.control(path)
        st.markdown("#### View")
        choices.view_controls()


@st.fragment
def picture() -> None:
    """Verdict, figures, equations and proofs; moving the time cursor runs this part alone."""
    experiment = state.experiment()
    if state.outdated():
        st.rerun()  # the slider in the figure changed a setting: the controls must follow
    try:
        trace = cache.trace_of(experiment)
    except TooLarge as error:
        st.error(f"{error} Nothing was computed; your settings are kept.", icon="⚠️")
        return
    found = cache.measured(experiment, choices.sample_of(experiment))
    sections.verdict(trace, found, PRESETS)
    rests = sections.figure_panel(KEY, trace, found)
    sections.equations(trace)
    sections.take_away(experiment)
    sections.truth_meter(experiment, rests)
    if rests:
        sections.range_of_knob(KEY, trace)


state.begin()
state.mark_drawn()
sections.notices()
top_row()
side_bar()
picture()

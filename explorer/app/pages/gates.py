"""Gates: hold any gate at any value, and see what it does to the gradient."""

from __future__ import annotations

import streamlit as st

from explorer.app import cache, choices, controls, gate_controls, sections, state
from explorer.app.gate_measured import gates_of
from explorer.app.gate_picture import gate_figures
from explorer.app.panel import panel
from explorer.lessons.equations_directions import directions
from explorer.trace import TooLarge

KEY = "gates"


def top_rows() -> None:
    """Cell and the gate to hold; demonstrations and actions."""
    experiment = state.experiment()
    cell, held = st.columns([1, 4.2], vertical_alignment="bottom")
    with cell:
        controls.control("cell")
    if experiment.cell.gates:
        with held:
            gate_controls.hold_row(experiment)
    shown, actions = st.columns([1.95, 1], vertical_alignment="bottom")
    with shown:
        gate_controls.demonstrations(experiment)
    with actions:
        choices.action_buttons(gate_controls.reset)


def side_bar() -> None:
    """How the picture is looked at, and all other settings."""
    experiment = state.experiment()
    with st.sidebar:
        if experiment.cell.gates:
            controls.group("inspect", "View", lambda: gate_controls.view_controls(experiment), opened=True)
        controls.settings("initializer")


@st.fragment
def picture() -> None:
    """Verdict, figures and equations; moving the time cursor runs this part alone."""
    experiment = sections.cell_alone()
    try:
        trace, before = (cache.trace_of(one) for one in (experiment, experiment.changed("hold", "")))
    except TooLarge as error:
        st.error(f"{error} Nothing was computed; your settings are kept.", icon="⚠️")
        return
    said = st.container()  # the verdict takes longer than the first figure
    panel(
        gate_figures(trace, before, sections.pinned_ghosts(experiment), state.view()),
        num_steps=trace.num_steps,
        cursor=sections.cursor_of(trace),
        key=KEY,
        on_cursor=lambda step: state.look(cursor=step),
    )
    with said:
        gate_controls.verdict(gates_of(experiment, choices.sample_of(experiment)).verdict)
        sections.notes(trace)
    sections.equations(
        trace,
        "Two directions, with the numbers of the cursor's step",
        directions,
        key="directions",
        expanded=True,
    )


state.begin()
gate_controls.begin_with_gates()
state.mark_drawn()
head, body = st.container(), st.container()
with body:  # first, so that the picture need not wait for the controls
    if state.experiment().cell.gates:
        gate_controls.active_holds(state.experiment())
        picture()
    else:
        gate_controls.no_gates()
with head:
    sections.notices()
    top_rows()
side_bar()

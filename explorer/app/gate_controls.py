"""Holding gates: one-click demonstrations, a row to hold one more, and what is held now."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.app import choices, state
from explorer.app.gate_picture import series_of, unit_of
from explorer.app.picture import gate_of
from explorer.app.sections import TONES, literal, pin_buttons
from explorer.experiment import Experiment
from explorer.figures.gate_maps import ordered
from explorer.figures.gates import SIGNED
from explorer.figures.style import LABELS
from explorer.holds import Hold, format_holds, parse_holds
from explorer.lessons.demonstrations import demonstration_of, demonstrations_for
from explorer.measures.gate_verdict import GateVerdict

ALL = "all units"
# Its gradient survives while no gate is held, so that the picture shows at once which gate stops it.
START = {"kind": "lstm", "forget_bias": 3.0}


def begin_with_gates() -> None:
    """Whoever comes here first with all defaults starts from an LSTM: the default cell has no gates."""
    if not st.session_state.get("gates:visited") and state.experiment() == Experiment():
        state.change("cell", START)
    st.session_state["gates:visited"] = True


def reset() -> None:
    """All settings to their defaults, no pins, and the LSTM to start from."""
    state.reset(Experiment().changed("cell", START))


def demonstrations(experiment: Experiment) -> None:
    """Buttons that hold the gates of a demonstration, all others free."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        shown = demonstration_of(experiment)
        for found in demonstrations_for(experiment):
            st.button(
                found.label,
                key=f"show:{found.id}",
                type="primary" if found is shown else "secondary",
                on_click=state.change,
                args=("hold", found.hold_in(experiment)),
                help=found.question,
            )


def hold_row(experiment: Experiment) -> None:
    """Gate, value, steps, units, and the button that holds them."""
    gate_box, value_box, steps_box, unit_box, button = st.columns(
        [1.1, 1.2, 1.7, 0.9, 0.6], vertical_alignment="bottom"
    )
    last = experiment.num_steps
    gates = ordered(experiment.cell.gates)
    gate = gate_box.selectbox(
        "force a gate",
        gates,
        gates.index(gate_of(experiment, state.view())),
        key=f"hold:gate:{experiment.cell.kind}",
        format_func=lambda name: LABELS.get(name, name),
        help="The gate is held at a constant value, so no gradient flows through it.",
    )
    low = -1.0 if gate in SIGNED else 0.0
    value = value_box.slider("held at", low, 1.0, 1.0, 0.05, key=f"hold:value:{low}")
    first, end = steps_box.slider("from step to step", 1, last, (1, last), key=f"hold:steps:{last}")
    unit = unit_of(experiment, state.view())
    whom = unit_box.selectbox(
        "units",
        [ALL, f"unit {unit}"],
        key=f"hold:units:{unit}",
        help="One unit: that of the sidebar.",
    )
    whole = (first, end) == (1, last)
    hold = Hold(
        gate,
        value,
        None if whole else first,
        None if whole else end,
        None if whom == ALL else unit,
    )
    button.button("Hold", key="hold", on_click=_add, args=(hold,), type="primary", width="stretch")


def _add(hold: Hold) -> None:
    """Hold one more; the newest wins where two holds meet, and an exact repetition changes nothing."""
    held = [old for old in parse_holds(state.experiment().hold) if old != hold]
    state.change("hold", format_holds([*held, hold]))


def release(index: int) -> None:
    """Let one of the held gates go."""
    held = parse_holds(state.experiment().hold)
    state.change("hold", format_holds(old for k, old in enumerate(held) if k != index))


def active_holds(experiment: Experiment) -> None:
    """Buttons that release each held gate or all of them, and those of the pinned curves."""
    held = parse_holds(experiment.hold)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if held:
            _releases(experiment, held)
        else:
            said = "No gate is held. Hold one, or press a demonstration: the picture before stays as a ghost."
            st.caption(said, width="content")
        pin_buttons()


def _releases(experiment: Experiment, held: Sequence[Hold]) -> None:
    for index, hold in enumerate(held):
        st.button(
            f"✕ {literal(described(hold))}",
            key=f"release:{index}",
            on_click=release,
            args=(index,),
            help="Release this gate.",
        )
    st.button("Release all", key="release-all", on_click=state.change, args=("hold", ""))
    shown = demonstration_of(experiment)
    if shown is not None:
        with st.popover("What must come out?", type="tertiary"):
            st.markdown(f"**{shown.question}** {shown.outcome}")


def described(hold: Hold) -> str:
    """A hold in words: 'forget f = 1, steps 10–40, unit 3'."""
    text = f"{LABELS.get(hold.gate, hold.gate)} = {hold.value:g}"
    if hold.first is not None:
        text += f", step {hold.first}" if hold.first == hold.last else f", steps {hold.first}–{hold.last}"
    return text if hold.unit is None else f"{text}, unit {hold.unit}"


def verdict(said: GateVerdict) -> None:
    """What the gates do to the gradient, in words."""
    text = said.text.replace(" %", "\u00a0%")  # never a line that begins with the sign
    st.markdown(f"{TONES[said.tone]} **{text}**")


def view_controls(experiment: Experiment) -> None:
    """Sample, unit and the gate or state whose distribution is drawn."""
    if experiment.batch_size > 1:
        choices.view_widget("sample", choices.sample_of(experiment), st.slider, 0, experiment.batch_size - 1)
    choices.view_widget("unit", unit_of(experiment, state.view()), st.slider, 0, experiment.hidden_size - 1)
    series = [*ordered(experiment.cell.gates), *experiment.cell.states]
    choices.view_widget(
        "gate",
        series_of(experiment, state.view()),
        st.selectbox,
        series,
        format_func=lambda name: LABELS.get(name, name),
    )


def no_gates() -> None:
    """What a cell without gates gets in place of the picture."""
    st.info(
        "This cell has no gates, so there is nothing to hold. All other settings are kept when you switch.",
        icon=":material/info:",
    )
    st.button("Switch to an LSTM", key="to-lstm", on_click=state.change, args=("cell", START), type="primary")

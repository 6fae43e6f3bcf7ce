"""What a person chooses besides the experiment's fields: preset, pins, undo, and how they look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explorer.app import state
from explorer.app.panel import copy_link_button
from explorer.app.picture import gate_of
from explorer.experiment import Experiment
from explorer.lessons.presets import Preset
from explorer.link import field_paths
from explorer.sweep import knobs


def preset_of(presets: Mapping[str, Preset], experiment: Experiment) -> str | None:
    """The preset whose settings these are."""
    return next((name for name, preset in presets.items() if preset.experiment == experiment), None)


def preset_menu(presets: Mapping[str, Preset]) -> None:
    """A menu of settings that each tell one story."""
    st.session_state["preset"] = preset_of(presets, state.experiment())

    def take() -> None:
        chosen = st.session_state["preset"]
        if chosen is not None:
            preset = presets[chosen]
            state.replace(preset.experiment)
            state.look(knob=preset.scrub or "weight_scale")

    st.selectbox(
        "preset",
        list(presets),
        key="preset",
        on_change=take,
        placeholder="own settings",
        format_func=lambda name: presets[name].title,
        help="Settings that each tell one story; start here.",
    )


def action_buttons(reset: Callable[[], None] = state.reset) -> None:
    """Pin, undo, reset, copy the link."""
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Pin",
            key="pin",
            on_click=state.pin,
            icon=":material/keep:",
            help="Keep the present curve as a ghost (up to four).",
        )
        st.button(
            "",
            key="undo",
            on_click=state.undo,
            disabled=not state.can_undo(),
            icon=":material/undo:",
            help="Undo: back to the settings before the last change.",
        )
        st.button(
            "",
            key="reset",
            on_click=reset,
            icon=":material/restart_alt:",
            help="Reset: all settings to their defaults, no pins.",
        )
        copy_link_button("copy-link")


def view_controls() -> None:
    """What is shown of the run: sample, gate, single curves, and the knob of the slider in the figure."""
    experiment, view = state.experiment(), state.view()
    if experiment.batch_size > 1:
        view_widget("sample", sample_of(experiment), st.slider, 0, experiment.batch_size - 1)
        view_widget("samples", view.samples, st.toggle)
    if experiment.cell.gates:
        view_widget("gate", gate_of(experiment, view), st.selectbox, list(experiment.cell.gates))
    titles = {path: str(field.title) for path, _, field in field_paths(experiment)}
    view_widget(
        "knob", knob_of(experiment), st.selectbox, list(knobs(experiment)), format_func=titles.__getitem__
    )


def view_widget(
    name: str, value: object, widget: Callable[..., Any], *args: object, **options: object
) -> None:
    """A widget for one field of the view, labelled and explained by it."""
    key, field = f"view:{name}", type(state.view()).model_fields[name]
    st.session_state[key] = value
    widget(
        field.title,
        *args,
        key=key,
        help=field.description,
        on_change=lambda: state.look(**{name: st.session_state[key]}),
        **options,
    )


def sample_of(experiment: Experiment) -> int:
    """The chosen sample, or the last one of a smaller batch."""
    return min(state.view().sample, experiment.batch_size - 1)


def knob_of(experiment: Experiment) -> str:
    """The chosen knob, or the weight scale where the present cell has no such setting."""
    knob = state.view().knob
    return knob if knob in knobs(experiment) else "weight_scale"

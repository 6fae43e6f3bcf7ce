"""Widgets made from the fields of the experiment: type, bounds, label and help all come from there."""

from __future__ import annotations

from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from explorer.app import state
from explorer.layouts import Layers
from explorer.link import bounds_of, choices_of, field_paths, max_length_of
from explorer.sweep import knobs

_OF_FRONT = ("network.kernel", "network.channels", "network.pooling")


def control(path: str) -> None:
    """The widget of one setting, e.g. ``cell.forget_bias``; a group's name gives the choice of its kinds."""
    fields = {name: (value, field) for name, value, field in field_paths(state.experiment())}
    _widget(path, *fields[path])


def fields_of(group: str) -> None:
    """One widget for every field of the group's current kind; the activations of gates in a box of their own.

    The box is open where an activation is not the usual one, so that it never hides what decides the picture.
    """
    activations = []
    for path, value, field in field_paths(state.experiment()):
        if path.startswith(f"{group}.") and path.endswith("_activation"):
            activations.append((path, value, field))
        elif path.startswith(f"{group}."):
            _widget(path, value, field)
    if activations:
        changed = any(value != field.default for _, value, field in activations)
        with st.expander("Activations of the gates", expanded=changed):
            for entry in activations:
                _widget(*entry)


def cell_settings() -> None:
    """The settings of the cell, and its gates that are held if it has any."""
    fields_of("cell")
    if state.experiment().cell.gates or state.experiment().hold:
        control("hold")


def settings() -> None:
    """All settings but the choice of cell and of initialisation, in the order in which one thinks of them."""
    st.markdown("#### Network")
    control("weight_scale")
    cell_settings()
    fields_of("initializer")
    for path in ("hidden_size", "num_steps", "batch_size"):
        control(path)
    settings_of_run()


def settings_of_run() -> None:
    """What the network reads, where the loss enters, and how a run starts."""
    st.markdown("#### Input and loss")
    control("signal")
    fields_of("signal")
    control("input_scale")
    control("loss")
    fields_of("loss")
    st.markdown("#### Start and precision")
    for path in ("bias_scale", "initial_scale", "seed", "dtype"):
        control(path)


def _without_effect(path: str) -> bool:
    """Whether a setting does nothing beside the others: a missing gate's bias, parts of no convolution."""
    experiment = state.experiment()
    if path.startswith("cell.") and path.endswith("bias"):
        return path not in knobs(experiment)
    network = experiment.network
    return path in _OF_FRONT and isinstance(network, Layers) and network.front == "none"


def _key(path: str) -> str:
    return f"setting:{path}"


def _take(path: str) -> None:
    """The callback of every widget: its value becomes the experiment's."""
    state.change(path, st.session_state[_key(path)])


def _widget(path: str, value: Any, field: FieldInfo) -> None:
    """A choice, a slider or a text box, showing the experiment's value."""
    key, label = _key(path), str(field.title)
    extra: dict[str, Any] = dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}
    st.session_state[key] = value
    shared: dict[str, Any] = {
        "key": key,
        "help": field.description,
        "on_change": _take,
        "args": (path,),
        "disabled": _without_effect(path),
    }
    longest = max_length_of(field)
    if longest is not None:
        shared["help"] = f"{field.description} At most {longest} characters."
    bounds = bounds_of(field)
    if names := extra.get("names"):
        st.selectbox(label, choices_of(field), format_func=lambda choice: names[choice], **shared)
    elif options := extra.get("options"):
        st.select_slider(label, sorted({*options, value}), **shared)
    elif bounds is None:
        st.text_area(label, height=80, max_chars=longest, **shared)
    elif isinstance(value, int):
        if bounds[1] > 1000:
            st.number_input(label, int(bounds[0]), int(bounds[1]), step=1, **shared)
        else:
            st.slider(label, int(bounds[0]), int(bounds[1]), step=1, **shared)
    else:
        step = float(extra["step"])
        st.slider(label, float(bounds[0]), float(bounds[1]), step=step, format="%.4g", **shared)

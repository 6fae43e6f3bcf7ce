"""Widgets made from the fields of the experiment: type, bounds, label and help all come from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def group(name: str, title: str, draw: Callable[[], None], *, opened: bool = False) -> None:
    """Controls in a box that can be closed; they are made only while it is open, which spares the page time.

    What a person opens or closes stays so on all pages.
    """
    remembered: dict[str, bool] = st.session_state.setdefault("groups", {})
    key = f"group:{name}"

    def keep() -> None:
        remembered[name] = bool(st.session_state[key])

    st.session_state[key] = remembered.get(name, opened)
    box = st.expander(title, key=key, on_change=keep)
    if box.open:
        with box:
            draw()


def fields_of(group: str) -> None:
    """One widget for every field of the group's current kind, but for the activations of gates."""
    for path, value, field in field_paths(state.experiment()):
        if path.startswith(f"{group}.") and not path.endswith("_activation"):
            _widget(path, value, field)


def _gate_activations() -> list[tuple[str, Any, FieldInfo]]:
    fields = field_paths(state.experiment())
    return [entry for entry in fields if entry[0].startswith("cell.") and entry[0].endswith("_activation")]


def activations() -> None:
    """The activations of the gates; open where one is not the usual one and decides the picture."""
    found = _gate_activations()
    changed = any(value != field.default for _, value, field in found)

    def draw() -> None:
        for entry in found:
            _widget(*entry)

    if found:
        group("activations", "Activations of the gates", draw, opened=changed)


def cell_settings() -> None:
    """The settings of the cell, and its gates that are held if it has any."""
    fields_of("cell")
    if state.experiment().cell.gates or state.experiment().hold:
        control("hold")


def settings(*first: str) -> None:
    """All settings; those of ``first`` are choices that other pages have elsewhere."""

    def network() -> None:
        for path in (*first, "weight_scale"):
            control(path)
        cell_settings()
        fields_of("initializer")
        for path in ("hidden_size", "num_steps", "batch_size"):
            control(path)

    group("network", "Network", network, opened=True)
    activations()
    settings_of_run()


def settings_of_run() -> None:
    """What the network reads, where the loss enters, and how a run starts."""

    def signal_and_loss() -> None:
        control("signal")
        fields_of("signal")
        control("input_scale")
        control("loss")
        fields_of("loss")

    def start() -> None:
        for path in ("bias_scale", "initial_scale", "seed", "dtype"):
            control(path)
        if now.trained:
            control("trained")

    now = state.experiment()
    said = f"Input and loss: {_named('signal', now.signal.kind)}, {_named('loss', now.loss.kind)}"
    group("run", said, signal_and_loss)
    group("start", f"Seed {now.seed}, start, precision", start)


def _named(path: str, choice: str) -> str:
    """The name of a kind as its menu shows it, without what stands in parentheses."""
    field = next(field for name, _, field in field_paths(state.experiment()) if name == path)
    return str(_extra(field)["names"][choice]).partition(" (")[0]


def _extra(field: FieldInfo) -> dict[str, Any]:
    """What a setting has beside pydantic's own: names, options, step."""
    return dict(field.json_schema_extra) if isinstance(field.json_schema_extra, dict) else {}


def _without_effect(path: str) -> bool:
    """Whether a setting does nothing beside the others: a missing gate's bias, parts of no convolution."""
    experiment = state.experiment()
    if path.startswith("cell.") and path.endswith("bias"):
        return path not in knobs(experiment)
    network = experiment.network
    return path in _OF_FRONT and isinstance(network, Layers) and network.front == "none"


def _widget(path: str, value: Any, field: FieldInfo) -> None:
    """The widget of one setting of the experiment; a change replaces the experiment."""
    key = f"setting:{path}"

    def take() -> None:
        state.change(path, st.session_state[key])

    widget_of(key, value, field, take, disabled=_without_effect(path))


def view_control(name: str) -> None:
    """The widget of one choice of the view."""
    key, field = f"view:{name}", type(state.view()).model_fields[name]

    def take() -> None:
        state.look(**{name: st.session_state[key]})

    widget_of(key, getattr(state.view(), name), field, take)


def view_menu(name: str, shown: str, titles: Mapping[str, str]) -> None:
    """A choice of the view among values that depend on the experiment."""
    key, field = f"view:{name}", type(state.view()).model_fields[name]
    st.session_state[key] = shown

    def take() -> None:
        state.look(**{name: st.session_state[key]})

    st.selectbox(
        str(field.title),
        list(titles),
        key=key,
        help=field.description,
        on_change=take,
        format_func=titles.__getitem__,
    )


def view_pills(name: str) -> None:
    """One choice of the view with all its values side by side."""
    key, field = f"view:{name}", type(state.view()).model_fields[name]
    names = _extra(field)["names"]
    st.session_state[key] = getattr(state.view(), name)

    def take() -> None:
        if st.session_state[key] is not None:  # a second click on the present one
            state.look(**{name: st.session_state[key]})

    st.segmented_control(
        str(field.title),
        choices_of(field),
        key=key,
        on_change=take,
        format_func=names.__getitem__,
        label_visibility="collapsed",
    )


def widget_of(
    key: str, value: Any, field: FieldInfo, take: Callable[[], None], *, disabled: bool = False
) -> None:
    """A choice, a slider, a switch or a text box for a field; ``take`` hears of changes."""
    label, extra = str(field.title), _extra(field)
    st.session_state[key] = value
    shared: dict[str, Any] = {
        "key": key,
        "help": field.description,
        "on_change": take,
        "disabled": disabled,
    }
    longest = max_length_of(field)
    if longest is not None:
        shared["help"] = f"{field.description} At most {longest} characters."
    bounds = bounds_of(field)
    if names := extra.get("names"):
        st.selectbox(label, choices_of(field), format_func=lambda choice: names[choice], **shared)
    elif options := extra.get("options"):
        st.select_slider(label, sorted({*options, value}), **shared)
    elif isinstance(value, bool):
        st.toggle(label, **shared)
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

"""Mean field: what σ_w, σ_b and the input make of signals and gradients, in theory and in random networks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.mean_field_choices import WIDTHS, MeanFieldChoices
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.regimes.mean_field_setting import FAR, SETTLED, Setting
from explorer.app.regimes.mean_field_words import measured_words, phase_words
from explorer.app.sections import TONES
from explorer.experiment import Experiment
from explorer.link import bounds_of
from explorer.theory import critical_line, mean_field_of, why_no_mean_field

KEY = "regimes-mean-field"


@functools.cache
def stories() -> dict[str, dict[str, Any]]:
    """What the buttons are called, and the choices that each of them sets."""

    def story(activation: str, sigma_w: float, sigma_b: float) -> dict[str, Any]:
        sigmas = {"sigma_w": sigma_w, "sigma_b": sigma_b, "input_variance": 0.0}
        return {"mean_activation": activation, **sigmas}

    return {
        "critical tanh": story("tanh", float(critical_line("tanh", 0.3)), 0.3),
        "chaotic tanh": story("tanh", 2.5, 0.3),
        "ordered": story("tanh", 0.9, 0.3),
        "ReLU at √2": story("relu", math.sqrt(2), 0.0),
    }


# ---- controls ----


def side_bar() -> None:
    """The ensemble, the way to it from the experiment, and the networks that are measured."""
    controls.group("mean_field", "Random network, N → ∞", _ensemble, opened=True)
    controls.group("measured", "Measured networks", _networks, opened=True)


def _ensemble() -> None:
    for name in ("mean_activation", "sigma_w", "sigma_b", "input_variance"):
        controls.view_control(name)
    reason = cache.kept(state.experiment(), why_not_taken)
    st.button(
        "Take from the experiment",
        key="mean-field:take",
        on_click=_take,
        disabled=reason is not None,
        width="stretch",
        help="Activation, σ_w, σ_b, σ_x² and width of the network on the other pages, with tied weights.",
    )
    if reason is not None:
        st.caption(f":material/info: {reason}")


def _networks() -> None:
    for name in ("mean_tied", "mean_width", "mean_seeds"):
        controls.view_control(name)


def taken_from(experiment: Experiment) -> dict[str, Any]:
    """The choices that the network of an experiment amounts to; {} where it has no mean field."""
    field = mean_field_of(experiment)
    if field is None:
        return {}
    return {
        "mean_activation": field.activation,
        "sigma_w": round(field.sigma_w, 6),
        "sigma_b": round(field.sigma_b, 6),
        "input_variance": round(field.input_variance, 6),
        "mean_tied": True,
        "mean_width": max(experiment.hidden_size, WIDTHS[0]),
    }


def why_not_taken(experiment: Experiment) -> str | None:
    """One sentence on why the choices of this section cannot describe the experiment; None if they can."""
    reason, field = why_no_mean_field(experiment), mean_field_of(experiment)
    if reason is not None or field is None:
        return reason
    if field.bias_mean:
        return f"A bias of {field.bias_mean:g} is added to all units of the experiment; here its mean is 0."
    for name, value in taken_from(experiment).items():
        setting = MeanFieldChoices.model_fields[name]
        bounds = bounds_of(setting)
        if bounds is not None and not bounds[0] <= value <= bounds[1]:
            return f"The experiment has {setting.title} = {value:.4g}; here it ends at {bounds[1]:g}."
    return None


def _take() -> None:
    state.look(**taken_from(state.experiment()))


def _story_buttons(view: MeanFieldChoices) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("How far do a signal and its gradient get in a wide random network?", width="stretch")
        for name, choices in stories().items():
            shown = all(getattr(view, field) == value for field, value in choices.items())
            st.button(
                name,
                key=f"mean-field:{name}",
                on_click=state.look,
                kwargs=choices,
                type="primary" if shown else "secondary",
            )


# ---- picture ----


def picture() -> None:
    """The figures, under a question and the stories that answer it."""
    head = st.container()
    _figures()
    with head:
        _story_buttons(state.view())


@st.fragment
def _figures() -> None:
    """The sentence and the figures; once they rest, networks all along the axis of σ_w are measured."""
    setting = Setting.of(state.view())
    tone, said = phase_words(setting.field(), setting.step)
    measured = measured_words(setting.growth(), setting.field().chi, setting.tolerance, setting.width)
    st.markdown(f"{TONES[tone]} **{said}** {measured}")
    result = panel(
        [
            _first("chi_curve", _chi(setting), 7),
            _first("mean_field_map", _lengths(setting), 5),
            _later("depth_scale", lambda: _depths(setting), 7),
            _later("correlation_map", lambda: _correlations(setting), 5),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
        token=f"{setting}",
    )
    if result.rests and setting.along().growth is None:
        setting.along().measure()
        st.rerun()


def _first(name: str, drawn: Drawn, span: int) -> PanelFigure:
    return panel_figure(state.experiment(), name, *drawn, span=span, height=330)


def _later(name: str, draw: Callable[[], Drawn], span: int) -> PanelFigure:
    return later_figure(state.experiment(), name, draw, span=span, height=330)


def _chi(setting: Setting) -> Drawn:
    """χ₁ with the networks at the present σ_w, and those along the axis if they have been measured."""
    now, (grid, critical) = (setting.sigma_w, setting.field().chi), setting.axis()
    places, growth = np.array([setting.sigma_w]), setting.growth()[None]
    along = setting.along()
    if along.growth is not None:
        places, growth = np.append(places, along.places), np.concatenate([growth, along.growth])
    measured = (places, growth)
    drawn = figures.chi_curve(grid, setting.chi(), now, critical, setting.tolerance, measured)
    return drawn, figures.chi_curve_alt(now, critical, measured)


def _lengths(setting: Setting) -> Drawn:
    """From far below q*, so that the way there is seen."""
    field, lengths = setting.field(), setting.measured(FAR).lengths
    return figures.mean_field_map(field, lengths), figures.mean_field_map_alt(field, lengths)


def _correlations(setting: Setting) -> Drawn:
    """From q*, where the map holds from the first layer on."""
    field, found = setting.field(), setting.measured(SETTLED).correlations
    return figures.correlation_map(field, found), figures.correlation_map_alt(field, found)


def _depths(setting: Setting) -> Drawn:
    field, critical = setting.field(), setting.axis()[1]
    return figures.depth_scale(setting.curve(), field, critical), figures.depth_scale_alt(field, critical)

"""Lyapunov spectrum: whether small changes grow along the orbit of a network, at this gain and all others."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import controls, sections, state
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.regimes.lyapunov_measured import GAINS, Fan, Orbits, theory_of
from explorer.experiment import Experiment
from explorer.measures.lyapunov import LyapunovSpectrum
from explorer.measures.regime import regime, regime_sentence
from explorer.theory import why_no_mean_field

KEY = "regimes-lyapunov"
_AT_ONCE, _AT_A_TIME = 0.06, 0.5  # seconds for networks of the fan, before the first picture and later ones
_TONES = {
    "stable": "vanishes",
    "lost": "dead",
    "edge": "survives",
    "chaotic": "explodes",
    "unbounded": "explodes",
    "unstable_point": "explodes",
    "not_a_number": "not_a_number",
}


@dataclass(frozen=True)
class Story:
    """Settings that one button sets, and the question they answer."""

    label: str
    question: str
    driven: bool
    experiment: Experiment


def _story(label: str, question: str, gain: float, **settings: Any) -> Story:
    """A wide tanh network with independent Gaussian weights and no biases, as theory has it."""
    wide = {"initializer": {"kind": "gaussian"}, "hidden_size": 200, "bias_scale": 0.0, "weight_scale": gain}
    driven = "signal" in settings
    alone = {} if driven else {"signal": {"kind": "zeros"}, "initial_scale": 1.0}
    return Story(label, question, driven, Experiment.model_validate(wide | alone | settings))


STORIES: dict[str, Story] = {
    "ordered": _story("Ordered, g = 0.5", "Where does every start end, and the gradient with it?", 0.5),
    "chaotic": _story("Chaotic, g = 2", "How fast do two nearby starts part, and the gradient grow?", 2.0),
    "suppressed": _story(
        "Driven: chaos suppressed",
        "The same matrices with g = 2: what does a strong noise at the input do to chaos?",
        2.0,
        signal={"kind": "noise", "amplitude": 5.0},
        input_scale=10.0,
    ),
}


def side_bar() -> None:
    """Which orbits are measured; then the network."""

    def draw() -> None:
        for name in ("driven", "steps", "seeds"):
            controls.view_control(f"lyapunov_{name}")

    controls.group("lyapunov", "Orbits", draw, opened=True)
    controls.settings("cell", "initializer")


def picture() -> None:
    """Fan and spectrum for the present gain, below the buttons."""
    experiment = sections.cell_alone()
    buttons = st.container()
    _look(experiment, Orbits.of(experiment, state.view()))
    with buttons:
        _stories(experiment)


@st.fragment
def _look(experiment: Experiment, orbits: Orbits) -> None:
    """Networks of the fan that take longer than a moment follow, some at a time, when the picture rests."""
    said = st.container()
    name = f"{orbits.at_any_gain.canonical()}|{orbits.steps}"
    drawn, count = st.session_state.get("lyapunov-fan", ("", 0))
    with st.spinner("Following the orbits of a large network …") if orbits.large else nullcontext():
        fan = orbits.fan(count, 0) if drawn == name else orbits.fan(1, _AT_ONCE)
    st.session_state["lyapunov-fan"] = name, fan.count
    rests = _draw(orbits, fan)
    with said:
        _words(experiment, orbits, fan)
    if rests and not fan.whole:
        st.session_state["lyapunov-fan"] = name, orbits.fan(fan.count + 1, _AT_A_TIME).count
        st.rerun()


# ---- figures ----


def _draw(orbits: Orbits, fan: Fan) -> bool:
    """True once the browser rests after this picture."""
    shown, network = orbits.shown, orbits.network
    suffix = "" if shown == orbits.dimension else f": the {shown} largest of {orbits.dimension}"
    result = panel(
        [
            _fan(orbits, fan),
            later_figure(
                network, "lyapunov_spectrum", lambda: _spectrum(orbits), span=5, height=340, suffix=suffix
            ),
            later_figure(
                network, "lyapunov_convergence", lambda: _convergence(orbits.spectrum()), span=12, height=300
            ),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
        token="" if fan.whole else f"{fan.count}|{network.canonical()}",
    )
    return result.rests


def _fan(orbits: Orbits, fan: Fan) -> PanelFigure:
    parts: dict[str, Any] = {
        "theory": orbits.theory(),
        "undriven": fan.alone,
        "gain": orbits.network.weight_scale,
    }
    drawn = figures.lyapunov_fan(GAINS, fan.exponents, **parts)
    numbers = figures.lyapunov_fan_alt(GAINS, fan.exponents, **parts)
    suffix = f", {'with its' if orbits.driven else 'without'} input"
    return panel_figure(orbits.network, "lyapunov_fan", drawn, numbers, span=7, height=340, suffix=suffix)


def _spectrum(orbits: Orbits) -> Drawn:
    found = orbits.spectrum()
    parts: dict[str, Any] = {
        "num_positive": found.num_positive,
        "kaplan_yorke": np.nan if orbits.network.cell.homogeneous else found.kaplan_yorke_dimension,
        "gradient_slope": found.gradient_slope,
    }
    drawn = figures.lyapunov_spectrum(found.exponents, **parts)
    return drawn, figures.lyapunov_spectrum_alt(found.exponents, **parts)


def _convergence(found: LyapunovSpectrum) -> Drawn:
    if not np.isfinite(found.running).any():
        said = "There is nothing to average:<br>no exponent is a finite number."
        return figures.message(said), said.replace("<br>", " ")
    slope = found.gradient_slope
    drawn = figures.lyapunov_convergence(found.times, found.running, gradient_slope=slope)
    return drawn, figures.lyapunov_convergence_alt(found.times, found.running, gradient_slope=slope)


# ---- buttons and sentences ----


def _stories(experiment: Experiment) -> None:
    """Buttons that set the experiment of a story, and the question that it answers."""
    name = story_of(experiment)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for key, story in STORIES.items():
            st.button(
                story.label,
                key=f"story:{key}",
                type="primary" if key == name else "secondary",
                on_click=_tell,
                args=(story,),
                help=story.question,
            )
        own = "Do two nearby states of the network come together or part?"
        st.caption(own if name is None else f"**{STORIES[name].question}**", width="stretch")


def _tell(story: Story) -> None:
    state.replace(story.experiment)
    state.look(lyapunov_driven=story.driven)


def story_of(experiment: Experiment) -> str | None:
    """The story whose settings these are."""
    driven = state.view().lyapunov_driven
    return next(
        (name for name, told in STORIES.items() if (told.experiment, told.driven) == (experiment, driven)),
        None,
    )


def _words(experiment: Experiment, orbits: Orbits, fan: Fan) -> None:
    """The regime at the present gain, of all networks or of one until all are there, and what it means."""
    network, steps = orbits.network, orbits.fan_steps
    count = fan.count if fan.whole else 1
    row, theory = orbits.row(count), theory_of(network, (network.weight_scale,))
    said = regime_sentence(
        network,
        row,
        steps=steps,
        theory=None if theory is None else float(theory[0]),
        undriven=orbits.row_alone(count),
    )
    tone = _TONES.get(regime(network, row, steps=steps))
    st.markdown(f"{sections.TONES[tone]} **{said}**" if tone else f"**{said}**")
    known = [_for_the_gradient(row, experiment.num_steps)]
    if not fan.whole:
        known.append(f"{fan.count} of {orbits.count} networks are drawn, the others follow.")
    if steps < orbits.steps:
        known.append(f"Of so large a network the fan takes {steps} steps; the other figures take all.")
    if state.view().lyapunov_driven and not orbits.driven:
        known.append("The input that is set is zero at all steps: noise, a sine or text would drive it.")
    if (reason := why_no_mean_field(network)) is not None:
        known.append(f"There is no line for N → ∞: {reason[0].lower()}{reason[1:]}")
    st.caption(" ".join(filter(None, known)))


def _for_the_gradient(row: np.ndarray, num_steps: int) -> str:
    """What the median exponent amounts to over the steps of the experiment; "" where it is not finite."""
    decades = float(np.median(row)) * num_steps / np.log(10)
    if not np.isfinite(decades):
        return ""
    verb = "grows" if decades > 0 else "shrinks"
    return (
        f"λ₁ is the slope of ln‖gradient‖ on its way back: in T = {num_steps} steps at the median "
        f"the gradient {verb} by {abs(decades):.3g} decades."
    )

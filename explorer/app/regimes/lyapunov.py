"""Lyapunov spectrum: whether small changes grow along the orbit of a network, at this gain and all others."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.panel import PanelFigure, panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.experiment import Experiment
from explorer.link import bounds_of
from explorer.measures.lyapunov import LyapunovSpectrum, lyapunov_exponents
from explorer.measures.lyapunov_fan import lyapunov_fan, undriven
from explorer.measures.regime import regime, regime_sentence
from explorer.theory import chi_grid, why_no_mean_field

KEY = "regimes-lyapunov"
GAINS = np.linspace(0, (bounds_of(Experiment.model_fields["weight_scale"]) or (0, 1))[1], 25)[1:]
"""Weight scales of the fan."""
SETTLE = 100
"""Steps before growth counts."""
_SEEDS = 1 + int((bounds_of(Experiment.model_fields["seed"]) or (0, 0))[1])
_WITHOUT_EFFECT = ("num_steps", "loss", "dtype")  # an orbit has a length, a loss and a precision of its own
_WHOLE = {1: 200, 2: 128}  # states of the cell → numbers in them up to which all exponents are computed …
_LARGEST = 32  # … and how many of larger networks
_AT_ONCE, _AT_A_TIME = 0.06, 0.5  # seconds for seeds of the fan, before the first picture and before others
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


@dataclass(frozen=True)
class Fan:
    """λ₁ over the gain of as many networks as are known by now, [G, S] each; ``alone``: without input."""

    exponents: np.ndarray
    alone: np.ndarray | None
    asked: int

    @property
    def count(self) -> int:
        """How many seeds are there."""
        return int(self.exponents.shape[1])

    @property
    def whole(self) -> bool:
        """Whether all of them are."""
        return self.count == self.asked


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
    _look(experiment, orbit_of(experiment))
    with buttons:
        _stories(experiment)


@st.fragment
def _look(experiment: Experiment, shown: Experiment) -> None:
    """Seeds of the fan that take longer than a moment follow, some at a time, whenever the picture rests."""
    said = st.container()
    name = f"{_at_any_gain(shown).canonical()}|{state.view().lyapunov_steps}"
    drawn, count = st.session_state.get("lyapunov-fan", ("", 0))
    fan = fan_within(shown, count, 0) if drawn == name else fan_within(shown, 1, _AT_ONCE)
    st.session_state["lyapunov-fan"] = name, fan.count
    rests = _draw(shown, fan)
    with said:
        _words(experiment, shown, fan)
    if rests and not fan.whole:
        st.session_state["lyapunov-fan"] = name, fan_within(shown, fan.count + 1, _AT_A_TIME).count
        st.rerun()


def orbit_of(experiment: Experiment) -> Experiment:
    """The network whose orbit is measured; settings that do not change the orbit are as usual."""
    usual = {name: Experiment.model_fields[name].default for name in _WITHOUT_EFFECT}
    experiment = experiment.model_copy(update=usual)
    return experiment if state.view().lyapunov_driven else undriven(experiment)


# ---- what is computed once ----


def fan_within(shown: Experiment, least: int, seconds: float) -> Fan:
    """The fan of the first seeds: of so many at least, and of as many more as this time allows."""
    view, start, base = state.view(), time.perf_counter(), _at_any_gain(shown)
    kinds = [base, undriven(base)] if _driven(shown) else [base]
    columns: list[list[np.ndarray]] = []
    for seed in seeds_of(shown, view.lyapunov_seeds):
        if len(columns) >= least and time.perf_counter() - start > seconds:
            break
        networks = [kind.model_copy(update={"seed": seed}) for kind in kinds]
        columns.append([cache.kept(network, fan_of_seed, view.lyapunov_steps) for network in networks])
    exponents, *alone = (np.stack(fan, axis=1) for fan in zip(*columns, strict=True))
    return Fan(exponents, alone[0] if alone else None, view.lyapunov_seeds)


def _at_any_gain(shown: Experiment) -> Experiment:
    """The same for all weight scales: what the fan depends on."""
    return shown.model_copy(update={"weight_scale": 1.0})


def _driven(shown: Experiment) -> bool:
    """Whether there is an input that could be left out."""
    return shown.signal.kind != "zeros"


def seeds_of(experiment: Experiment, count: int) -> list[int]:
    """As many seeds, from that of the experiment on; 0 follows the last one that there is."""
    return [(experiment.seed + k) % _SEEDS for k in range(count)]


def fan_of_seed(experiment: Experiment, steps: int) -> np.ndarray:
    """λ₁ of this very network at all gains, [G]."""
    return lyapunov_fan(experiment, GAINS, [experiment.seed], steps=steps, settle=SETTLE)[:, 0]


def row_of(experiment: Experiment, count: int, steps: int) -> np.ndarray:
    """λ₁ of several networks that differ in their seed alone, [S]."""
    gain, seeds = [experiment.weight_scale], seeds_of(experiment, count)
    found: np.ndarray = lyapunov_fan(experiment, gain, seeds, steps=steps, settle=SETTLE)[0]
    return found


def spectrum_of(experiment: Experiment, steps: int) -> LyapunovSpectrum:
    """All exponents, or the largest of a large network."""
    states = len(experiment.cell.states)
    whole = states * experiment.hidden_size <= _WHOLE[states]
    return lyapunov_exponents(experiment, count=None if whole else _LARGEST, steps=steps, settle=SETTLE)


def theory_of(experiment: Experiment, gains: tuple[float, ...]) -> np.ndarray | None:
    """λ₁ of networks without end, ½ ln χ₁ at each gain; None where mean field does not apply."""
    chi = chi_grid(experiment, {"weight_scale": gains})
    with np.errstate(divide="ignore"):
        return None if chi is None else 0.5 * np.log(chi)


# ---- what is shown ----


def _draw(shown: Experiment, fan: Fan) -> bool:
    """True once the browser rests after this picture."""
    steps = state.view().lyapunov_steps

    def found() -> LyapunovSpectrum:
        return cache.kept(shown, spectrum_of, steps)

    later = {"span": 5, "height": 340, "suffix": _how_many(shown)}
    result = panel(
        [
            _fan(shown, fan),
            later_figure(shown, "lyapunov_spectrum", lambda: _spectrum(shown, found()), **later),
            later_figure(shown, "lyapunov_convergence", lambda: _convergence(found()), span=12, height=300),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
        token="" if fan.whole else f"{fan.count}|{shown.canonical()}",
    )
    return result.rests


def _fan(shown: Experiment, fan: Fan) -> PanelFigure:
    parts: dict[str, Any] = {
        "theory": cache.kept(_at_any_gain(shown), theory_of, tuple(GAINS.tolist())),
        "undriven": fan.alone,
        "gain": shown.weight_scale,
    }
    drawn = figures.lyapunov_fan(GAINS, fan.exponents, **parts)
    numbers = figures.lyapunov_fan_alt(GAINS, fan.exponents, **parts)
    suffix = f", {'with its' if state.view().lyapunov_driven else 'without'} input"
    return panel_figure(shown, "lyapunov_fan", drawn, numbers, span=7, height=340, suffix=suffix)


def _how_many(shown: Experiment) -> str:
    states = len(shown.cell.states)
    every = states * shown.hidden_size
    return f": the {_LARGEST} largest of {every}" if every > _WHOLE[states] else ""


def _spectrum(shown: Experiment, found: LyapunovSpectrum) -> Drawn:
    parts: dict[str, Any] = {
        "num_positive": found.num_positive,
        "kaplan_yorke": np.nan if shown.cell.homogeneous else found.kaplan_yorke_dimension,
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


def _words(experiment: Experiment, shown: Experiment, fan: Fan) -> None:
    """The regime at the present gain, of all networks or of one until all are there, and what it means."""
    view = state.view()
    choices = (fan.count if fan.whole else 1, view.lyapunov_steps)
    row = cache.kept(shown, row_of, *choices)
    alone = cache.kept(undriven(shown), row_of, *choices) if _driven(shown) else None
    theory = theory_of(shown, (shown.weight_scale,))
    said = regime_sentence(
        shown, row, steps=choices[1], theory=None if theory is None else float(theory[0]), undriven=alone
    )
    tone = _TONES.get(regime(shown, row, steps=choices[1]))
    st.markdown(f"{sections.TONES[tone]} **{said}**" if tone else f"**{said}**")
    known = [_for_the_gradient(row, experiment.num_steps)]
    if not fan.whole:
        known.append(f"{fan.count} of {fan.asked} networks are drawn, the others follow.")
    if view.lyapunov_driven and not _driven(shown):
        known.append("The input that is set is zero at all steps: noise, a sine or text would drive it.")
    if (reason := why_no_mean_field(shown)) is not None:
        known.append(f"There is no line for N → ∞: {reason[0].lower()}{reason[1:]}")
    st.caption(" ".join(filter(None, known)))


def _for_the_gradient(row: np.ndarray, num_steps: int) -> str:
    """What the median exponent amounts to over the steps of the experiment; "" where it is not finite."""
    middle = float(np.median(row))
    if not np.isfinite(middle):
        return ""
    decades = middle * num_steps / np.log(10)
    verb = "grows" if decades > 0 else "shrinks"
    return (
        f"λ₁ is the slope of ln‖gradient‖ on its way back: in T = {num_steps} steps at the median "
        f"the gradient {verb} by {abs(decades):.3g} decades."
    )

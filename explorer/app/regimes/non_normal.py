"""Non-normality: eigenvalues stay where they are while powers of W grow before they decay."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, sections, state
from explorer.app.panel import panel
from explorer.app.picture import Drawn, gate_of, later_figure, panel_figure
from explorer.app.regimes.non_normal_words import growth_sentence, measures_sentence, tone_of
from explorer.app.stories import Story, story_buttons
from explorer.app.view import View
from explorer.experiment import Experiment
from explorer.figures.style import LABELS
from explorer.initializers import Gaussian
from explorer.theory.non_normality import (
    PowerGrowth,
    non_normal_matrix,
    power_growth,
    scaled_departure,
)
from explorer.theory.pseudospectrum import Pseudospectrum, pseudospectrum
from explorer.weights import draw_weights

KEY = "regimes-non-normal"
HEIGHT = 395
"""Of the figures in pixels: both are in sight on a small laptop."""
LARGEST = 256
"""Units up to which powers are computed while one waits."""
_MUCH = 5e7  # N³K that takes long enough to be announced
_FINE, _COARSE = 60, 40  # points along each side of the pseudospectrum of small and of large matrices
_SMALL = 16  # units
_USED = {
    "example": ("radius", "strength"),
    "triangular": ("size", "radius", "strength", "seed"),
    "gaussian": ("size", "radius", "factor", "seed"),
    "own": ("factor",),
}


def _story(label: str, question: str, **choices: Any) -> Story:
    return Story(label, question, {f"non_normal_{name}": value for name, value in choices.items()})


STORIES: dict[str, Story] = {
    "example": _story(
        "2×2, ρ = 0.9",
        "Both eigenvalues are 0.9: does a gradient vanish from the first step on?",
        matrix="example",
        radius=0.9,
        strength=5.0,
        steps=100,
    ),
    "normal": _story(
        "Same eigenvalues, normal",
        "What is left of the hump when nothing stands above the diagonal?",
        matrix="example",
        radius=0.9,
        strength=0.0,
        steps=100,
    ),
    "triangular": _story(
        "16 units, ρ = 0.9",
        "With more units an equally large part above the diagonal does far more: how high, and how long?",
        matrix="triangular",
        size=16,
        radius=0.9,
        strength=1.0,
        seed=0,
        steps=300,
    ),
    "gaussian": _story(
        "Random Gaussian",
        "How non-normal is a random matrix as it comes?",
        matrix="gaussian",
        size=32,
        radius=0.9,
        factor=1.0,
        seed=0,
        steps=50,
    ),
    "own": _story(
        "W_hh of the experiment",
        "And the matrix of your own network?",
        matrix="own",
        factor=1.0,
        steps=50,
    ),
}


@dataclass(frozen=True)
class Chosen:
    """The matrix that is looked at; ``key`` names everything that decides it."""

    key: str
    size: int
    draw: Callable[[], np.ndarray]
    owner: str = ""


def side_bar() -> None:
    """Which matrix, how far from normal, how many powers; then the network if the matrix is its own."""
    matrix = state.view().non_normal_matrix

    def draw() -> None:
        controls.view_control("non_normal_matrix")
        blocks = blocks_of(state.experiment()) if matrix == "own" else {}
        if len(blocks) > 1:
            shown = block_of(state.experiment(), state.view())
            controls.view_menu("non_normal_gate", shown, {gate: LABELS.get(gate, gate) for gate in blocks})
        for name in (*_USED[matrix], "steps"):
            controls.view_control(f"non_normal_{name}")

    controls.group("non_normal", "Matrix", draw, opened=True)
    if matrix == "own":
        controls.settings("cell", "initializer")


def picture() -> None:
    """Norms of the powers beside the pseudospectrum."""
    chosen, buttons, said = chosen_matrix(), st.container(), st.container()
    if chosen.size <= LARGEST:
        _draw(chosen, said)
    else:
        said.info(
            f"W_hh has {chosen.size}×{chosen.size} entries; powers are computed here for up to {LARGEST} "
            "units. Choose a smaller hidden size.",
            icon=":material/info:",
        )
    with buttons:
        story_buttons(STORIES)


# ---- the matrix ----


def chosen_matrix() -> Chosen:
    """The matrix of the person's choices."""
    view = state.view()
    kind, radius, strength = view.non_normal_matrix, view.non_normal_radius, view.non_normal_strength
    size, seed, factor = view.non_normal_size, view.non_normal_seed, view.non_normal_factor
    if kind == "example":
        entries = np.array([[radius, strength], [0.0, radius]])
        return Chosen(f"example|{radius}|{strength}", 2, lambda: entries)
    if kind == "triangular":
        key = f"triangular|{size}|{radius}|{strength}|{seed}"
        return Chosen(key, size, lambda: non_normal_matrix(size, radius, strength, seed))
    if kind == "gaussian":
        key = f"gaussian|{size}|{radius}|{factor}|{seed}"
        return Chosen(key, size, lambda: departing(gaussian_matrix(size, radius, seed), factor))
    experiment = sections.cell_alone()
    gate = block_of(experiment, view)
    block, size = blocks_of(experiment).get(gate, 0), experiment.hidden_size

    def own() -> np.ndarray:
        rows = slice(block * size, (block + 1) * size)
        return departing(draw_weights(experiment)["weight_hh"][rows], factor)

    return Chosen(f"own|{block}|{factor}|{experiment.canonical()}", size, own, LABELS.get(gate, gate))


def gaussian_matrix(size: int, spectral_radius: float, seed: int) -> np.ndarray:
    """A Gaussian matrix [N, N] multiplied such that it has exactly this spectral radius."""
    drawn = Gaussian().draw(Experiment(seed=seed).rng("weight_hh/0"), size)
    return np.asarray(drawn * (spectral_radius / np.abs(np.linalg.eigvals(drawn)).max()))


def departing(matrix: np.ndarray, factor: float) -> np.ndarray:
    """``scaled_departure``, without its rounding where nothing is scaled."""
    return matrix if factor == 1 else scaled_departure(matrix, factor)


def blocks_of(experiment: Experiment) -> dict[str, int]:
    """The gates that have a block of W_hh, and the number of it."""
    wiring = experiment.cell.wiring()
    return {
        gate: slot.block
        for gate in experiment.cell.gates
        for slot in wiring
        if slot.name.partition("_")[0] == gate
    }


def block_of(experiment: Experiment, view: View) -> str:
    """The gate whose block is taken: the chosen one, or the one that keeps the memory; "" without gates."""
    blocks = blocks_of(experiment)
    wanted = (view.non_normal_gate, gate_of(experiment, View()), "input")
    return next((gate for gate in wanted if gate in blocks), "")


# ---- what is computed once ----


def growth_of(chosen: Chosen, steps: int) -> PowerGrowth:
    """Its powers; what takes longer than a moment is announced."""
    much = float(chosen.size) ** 3 * steps > _MUCH
    with st.spinner("Multiplying a large matrix …") if much else nullcontext():
        return cache.remembered(f"powers {steps}|{chosen.key}", lambda: power_growth(chosen.draw(), steps))


def pseudospectrum_of(chosen: Chosen) -> Pseudospectrum:
    """Its pseudospectrum."""
    points = _FINE if chosen.size <= _SMALL else _COARSE
    return cache.remembered(
        f"pseudospectrum|{chosen.key}", lambda: pseudospectrum(chosen.draw(), points=points)
    )


# ---- what is shown ----


def _draw(chosen: Chosen, said: st.delta_generator.DeltaGenerator) -> None:
    experiment, found = state.experiment(), growth_of(chosen, state.view().non_normal_steps)
    suffix = f" ({chosen.owner})" if chosen.owner else ""

    def contours() -> Drawn:
        plane = pseudospectrum_of(chosen)
        return figures.pseudospectrum(plane), figures.pseudospectrum_alt(plane)

    said.markdown(f"{sections.TONES[tone_of(found)]} **{growth_sentence(found)}**")
    panel(
        [
            panel_figure(
                experiment,
                "power_norms",
                figures.power_norms(found),
                figures.power_norms_alt(found),
                span=7,
                height=HEIGHT,
                suffix=suffix,
            ),
            later_figure(experiment, "pseudospectrum", contours, span=5, height=HEIGHT, suffix=suffix),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
    )
    said.caption(measures_sentence(found, pseudospectrum_of(chosen)))  # by now it is there

"""Tied or untied: one repeated matrix against fresh ones, a CNN and residual connections, over many seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from explorer import figures
from explorer.app import cache, controls, state
from explorer.app.panel import panel
from explorer.app.picture import Drawn, later_figure, panel_figure
from explorer.app.stories import Story, story_buttons
from explorer.ensembles.growth_laws import GrowthLaw, applicable_law
from explorer.ensembles.layers import KINDS, LayerStack
from explorer.ensembles.products import GradientFan, gradient_fan, product_singular_values
from explorer.ensembles.tied import relu_sentence, tied_sentence

KEY = "regimes-tied"
SHOWN = ("recurrent", "independent", "convolution", "residual")
"""Kinds of layers, in reading order."""
_MUCH = 3e7  # entries of matrices whose drawing takes long enough to be announced


STORIES: dict[str, Story] = {
    "linear": Story(
        "Linear, g = 1",
        "How does the spread over seeds grow if one matrix is repeated, and if each layer has its own?",
        {"tied_activation": "linear", "tied_matrices": "gaussian", "tied_gain": 1.0},
    ),
    "he": Story(
        "ReLU, He",
        "σ_w² = 2 keeps a ReLU network with fresh matrices near 1: does it help a recurrent one?",
        {"tied_activation": "relu", "tied_matrices": "he", "tied_gain": 1.0},
    ),
    "torch": Story(
        "ReLU, PyTorch default",
        "Are fresh matrices enough to keep the gradient of a ReLU network?",
        {"tied_activation": "relu", "tied_matrices": "torch", "tied_gain": 1.0},
    ),
    "identity": Story(
        "Identity + ReLU (IRNN)",
        "What does the identity give a recurrent ReLU network that no random matrix gives it?",
        {"tied_activation": "relu", "tied_matrices": "identity", "tied_gain": 1.0},
    ),
}


def side_bar() -> None:
    """How the layers are drawn, and how many."""

    def draw() -> None:
        for name in ("activation", "matrices", "gain", "depth", "width", "seeds", "kernel", "branch"):
            controls.view_control(f"tied_{name}")

    controls.group("tied", "Random layers", draw, opened=True)


def picture() -> None:
    """Fans of seeds and how far they spread, one kind of layers beside the other."""
    stacks = {kind: stack_of(kind) for kind in SHOWN}
    buttons, said = st.container(), st.container()
    with said:
        fans = _fans(stacks)
    laws = {kind: law for kind, stack in stacks.items() if (law := law_of(stack)) is not None}
    _draw(stacks, fans, laws)
    with buttons:
        story_buttons(STORIES)
    with said:
        _words(fans)


def stack_of(kind: str) -> LayerStack:
    """The layers of one kind that the person chose; choices without effect on it are left out."""
    view = state.view()
    chosen: dict[str, Any] = {
        "kind": kind,
        "activation": view.tied_activation,
        "initializer": view.tied_matrices,
        "gain": view.tied_gain,
        "depth": view.tied_depth,
        "count": view.tied_seeds,
    }
    joined = KINDS[kind]
    chosen |= {"kernel_width": view.tied_kernel} if joined.convolution else {"width": view.tied_width}
    chosen |= {"branch_scale": view.tied_branch} if joined.residual else {}
    return LayerStack(**chosen)


# ---- what is computed once ----


def fan_of(stack: LayerStack) -> GradientFan:
    """Its fan; one that differs by the gain alone is kept where the gain is but a factor of every layer."""
    kept, gain = stack.without_gain()
    norms = cache.remembered(_key("fan", kept), lambda: gradient_fan(kept).log_norms)
    return GradientFan(stack, norms + gain * np.arange(stack.depth + 1))


def law_of(stack: LayerStack) -> GrowthLaw | None:
    """What theory says about it, kept likewise."""
    kept, gain = stack.without_gain()
    law = cache.remembered(_key("law", kept), lambda: applicable_law(kept))
    return None if law is None else replace(law, mean=law.mean + gain * np.arange(stack.depth + 1))


def spectrum_of(stack: LayerStack) -> np.ndarray:
    """Singular values of the product of all layers of the first seed in decades, kept likewise."""
    kept, gain = stack.without_gain()
    found = cache.remembered(_key("spectrum", kept), lambda: product_singular_values(kept, [kept.depth])[0])
    return np.asarray(found + gain * stack.depth)


def _key(what: str, stack: LayerStack) -> str:
    return f"tied {what}|{stack.model_dump_json()}"


def _fans(stacks: Mapping[str, LayerStack]) -> dict[str, GradientFan]:
    """All fans; what takes longer than a moment is announced."""
    entries = sum(stack.count * stack.entries for stack in stacks.values())
    with st.spinner("Drawing many large random matrices …") if entries > _MUCH else nullcontext():
        return {kind: fan_of(stack) for kind, stack in stacks.items()}


# ---- what is shown ----


def _draw(
    stacks: Mapping[str, LayerStack], fans: Mapping[str, GradientFan], laws: Mapping[str, GrowthLaw]
) -> None:
    experiment = state.experiment()
    norms = {kind: fan.log_norms for kind, fan in fans.items()}
    spreads = {kind: fan.spread for kind, fan in fans.items()}
    means = {kind: law.mean for kind, law in laws.items()}
    widths = {kind: law.spread for kind, law in laws.items() if law.spread is not None}

    def spectra() -> Drawn:
        values = {kind: spectrum_of(stack) for kind, stack in stacks.items()}
        return figures.layer_spectrum(values), figures.layer_spectrum_alt(values)

    panel(
        [
            panel_figure(
                experiment,
                "tied_fan",
                figures.tied_fan(norms, means),
                figures.tied_fan_alt(norms),
                span=8,
                height=340,
            ),
            panel_figure(
                experiment,
                "spread_growth",
                figures.spread_growth(spreads, widths),
                figures.spread_growth_alt(spreads),
                span=4,
                height=340,
            ),
            later_figure(experiment, "layer_spectrum", spectra, span=12, height=340),
        ],
        num_steps=1,
        cursor=0,
        key=KEY,
    )


def _words(fans: Mapping[str, GradientFan]) -> None:
    """What is seen, and for ReLU what follows from it."""
    said = f"**{tied_sentence(fans['recurrent'], fans['independent'])}**"
    stack = fans["independent"].stack
    if stack.activation == "relu" and stack.initializer != "identity" and stack.gain > 0:
        identity = fan_of(stack.model_copy(update={"kind": "recurrent", "initializer": "identity"}))
        said += f" {relu_sentence(fans['independent'], identity)}"
    st.markdown(re.sub(r"k\^(-?[\d.]+)", r"$k^{\1}$", said))

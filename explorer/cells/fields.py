"""Fields that several cells share: the activation of a gate and the bias of a gate."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from explorer.activations import ACTIVATIONS
from explorer.parameters import parameter

Function = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras", "tanh", "softsign", "relu", "linear"]


def function_of(what: str, default: str = "sigmoid") -> Any:
    """A field that chooses the activation of a gate or of a state."""
    return parameter(
        default,
        f"{what.removesuffix(' gate')} activation",
        f"The function of the {what} (hard sigmoid: clip(a/6 + ½) in PyTorch, clip(a/5 + ½) in Keras).",
        names={activation.name: activation.label for activation in ACTIVATIONS.values()},
    )


def bias_of(what: str, effect: str) -> Any:
    """A field that shifts the pre-activations of a gate or of the candidate."""
    return parameter(0.0, f"{what} bias", effect, bounds=(-10, 10), step=0.1)


def chrono_field(gate: str, opposite: str = "") -> Any:
    """A field that draws the biases of the gate that keeps by chrono initialisation."""
    also = f", and takes it from the {opposite} gate's" if opposite else ""
    return parameter(
        0,
        "chrono T_max",
        f"Adds ln U(1, T_max − 1) to the {gate} gate's biases, unit by unit{also}; 0: off.",
        bounds=(0, 1000),
        options=(0, 10, 20, 50, 100, 200, 500, 1000),
    )


def draw_chrono(longest: int, rng: np.random.Generator, hidden_size: int) -> np.ndarray:
    """Biases b = ln u, u ~ U(1, T_max − 1), [H]: a gate at σ(b) keeps 1/e for about u steps.

    The units' memories are spread evenly up to T_max steps (Tallec & Ollivier 2018). All 0 for T_max below 3.
    """
    drawn: np.ndarray = np.log(rng.uniform(1, max(longest - 1, 1), hidden_size))
    return drawn

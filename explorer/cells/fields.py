"""Fields that several cells share: the activation of a gate and the bias of a gate."""

from __future__ import annotations

from typing import Any, Literal

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

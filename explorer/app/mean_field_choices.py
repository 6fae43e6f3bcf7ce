"""What a person chooses in the section Mean field: a random network as theory sees it, and those measured."""

from __future__ import annotations

from typing import Literal

from explorer.activations import ACTIVATIONS
from explorer.parameters import Parameters, parameter

SIGMA_W, SIGMA_B, INPUT_VARIANCE = 4.0, 2.0, 4.0
"""The largest values that can be chosen."""
WIDTHS = [16, 32, 64, 128, 256, 512]


class MeanFieldChoices(Parameters):
    """Wide random networks."""

    mean_activation: Literal[
        "tanh", "relu", "linear", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras", "softsign"
    ] = parameter(
        "tanh",
        "activation",
        "The function φ of every unit.",
        names={name: found.label for name, found in ACTIVATIONS.items()},
    )
    sigma_w: float = parameter(
        1.5,
        "weights σ_w",
        "The entries of the matrix W are independent with variance σ_w²/N.",
        bounds=(0, SIGMA_W),
        step=0.05,
    )
    sigma_b: float = parameter(
        0.3,
        "biases σ_b",
        "The biases are independent with variance σ_b².",
        bounds=(0, SIGMA_B),
        step=0.05,
    )
    input_variance: float = parameter(
        0.0,
        "input variance σ_x²",
        "The variance that a fresh input adds to every pre-activation in each layer or step.",
        bounds=(0, INPUT_VARIANCE),
        step=0.05,
    )
    mean_tied: bool = parameter(
        False,
        "tied weights",
        "The measured networks repeat one matrix, as recurrent ones do, in place of a new one a layer.",
    )
    mean_width: int = parameter(
        256,
        "width N",
        "Units of the measured networks; theory is for N → ∞.",
        bounds=(WIDTHS[0], WIDTHS[-1]),
        options=WIDTHS,
    )
    mean_seeds: int = parameter(4, "seeds", "How many random networks are measured.", bounds=(1, 8), step=1)

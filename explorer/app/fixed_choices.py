"""What a person chooses in the section Fixed points: one unit, and two of them; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.activations import ACTIVATIONS
from explorer.parameters import Parameters, parameter

WEIGHT = 5.0
"""The largest weight of one unit, of either sign."""


class FixedChoices(Parameters):
    """h ← φ(w·h + b), and h ← tanh(W h) with W = g times a rotation."""

    fixed_units: Literal["one", "two"] = parameter(
        "one",
        "units",
        "The network that is drawn first; the other one follows below.",
        names={"one": "One unit", "two": "Two units"},
    )
    fixed_weight: float = parameter(
        1.5, "weight w", "What the state is multiplied by in each step.", bounds=(-WEIGHT, WEIGHT), step=0.05
    )
    fixed_bias: float = parameter(
        0.0, "bias b", "What is added to the state times the weight in each step.", bounds=(-3, 3), step=0.05
    )
    fixed_activation: Literal[
        "tanh", "relu", "linear", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras", "softsign"
    ] = parameter(
        "tanh",
        "activation φ",
        "The function of the unit.",
        names={name: found.label for name, found in ACTIVATIONS.items()},
    )
    fixed_start: float = parameter(
        0.1, "start h₀", "The state of the unit before the first step.", bounds=(-1, 1), step=0.05
    )
    fixed_growth: float = parameter(
        1.5,
        "growth g",
        "Both eigenvalues of W have this modulus, so it multiplies a small state in each step.",
        bounds=(0, 3),
        step=0.05,
    )
    fixed_rotation: float = parameter(
        0.0,
        "rotation in degrees",
        "The angle by which W turns a state in each step.",
        bounds=(0, 180),
        step=1,
    )
    fixed_start_1: float = parameter(
        0.8, "start of unit 1", "Where the orbit starts whose gradient is drawn.", bounds=(-1, 1), step=0.05
    )
    fixed_start_2: float = parameter(
        0.2, "start of unit 2", "Where the orbit starts whose gradient is drawn.", bounds=(-1, 1), step=0.05
    )

"""What a person chooses in the section Clipping: one unit, and steps of descent; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.parameters import Parameters, parameter
from explorer.theory.cliff import STEPS, edge_bias

WEIGHT = 5.0
"""At which the cliff is looked at first."""


class ClippingChoices(Parameters):
    """x ← w·σ(x) + b over T steps, and gradient descent on its loss."""

    cliff_weight: float = parameter(
        WEIGHT,
        "weight w",
        "What σ of the state is multiplied by in each step.",
        bounds=(0, 10),
        step=0.05,
    )
    cliff_bias: float = parameter(
        edge_bias(WEIGHT), "bias b", "What is added to it in each step.", bounds=(-8, 5), step=0.01
    )
    cliff_rate: float = parameter(
        0.01,
        "learning rate",
        "What the gradient is multiplied by in a step of descent.",
        bounds=(1e-4, 1),
        options=[1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0],
    )
    cliff_clip: Literal["none", "norm", "value"] = parameter(
        "norm",
        "clipping of the path",
        "How gradients are clipped along the path; the first step alone is drawn in all three ways.",
        names={"none": "None", "norm": "Norm", "value": "Value"},
    )
    cliff_threshold: float = parameter(
        1.0,
        "clipping threshold",
        "The largest norm, or the largest size of one component, that is left as it is.",
        bounds=(1e-3, 1e3),
        options=[1e-3, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0],
    )
    cliff_unrolled: int = parameter(
        STEPS, "unrolled steps T", "How often the unit is applied to its state.", bounds=(1, 100), step=1
    )
    cliff_count: int = parameter(
        30, "steps of descent", "How many steps the path has.", bounds=(1, 100), step=1
    )
    cliff_along: Literal["w", "b"] = parameter(
        "b",
        "section along",
        "The parameter that changes in the section.",
        names={"w": "Cut along w", "b": "along b"},
    )

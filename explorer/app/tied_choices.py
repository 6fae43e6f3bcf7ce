"""What a person chooses in the section Tied or untied; part of the view."""

from __future__ import annotations

from typing import Literal

from explorer.activations import ACTIVATIONS
from explorer.ensembles.layers import MATRICES
from explorer.parameters import Parameters, parameter


class TiedChoices(Parameters):
    """Random layers of the same depth, joined in different ways."""

    tied_activation: Literal["linear", "tanh", "relu"] = parameter(
        "relu",
        "activation φ",
        "The function of every unit, whose slope multiplies the gradient in every layer.",
        names={name: ACTIVATIONS[name].label for name in ("linear", "tanh", "relu")},
    )
    tied_matrices: Literal["gaussian", "he", "torch", "orthogonal", "identity"] = parameter(
        "he", "matrices W", "How the matrices are drawn before the gain multiplies.", names=MATRICES
    )
    tied_gain: float = parameter(1.0, "gain g", "Multiplies all matrices.", bounds=(0, 2), step=0.05)
    tied_depth: int = parameter(
        100,
        "layers K",
        "Number of layers, or of time steps where one matrix is repeated.",
        bounds=(10, 200),
        options=[10, 20, 50, 100, 200],
    )
    tied_width: int = parameter(
        32,
        "width N",
        "Units of a dense layer; the 1-D CNN keeps its 16 channels and 8 positions.",
        bounds=(4, 128),
        options=[4, 8, 16, 32, 64, 128],
    )
    tied_seeds: int = parameter(
        32, "seeds", "How many networks of each kind are drawn.", bounds=(2, 32), options=[2, 4, 8, 16, 32]
    )
    tied_kernel: int = parameter(
        3,
        "kernel width of the CNN",
        "How many neighbouring positions a unit of the 1-D CNN reads.",
        bounds=(1, 7),
        step=1,
    )
    tied_branch: float = parameter(
        0.1,
        "branch scale ε",
        "Weight of the branch beside a residual connection: h + ε·φ(W h).",
        bounds=(0, 1),
        step=0.05,
    )

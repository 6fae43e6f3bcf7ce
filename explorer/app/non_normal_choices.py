"""What a person chooses in the section Non-normality; part of the view."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from explorer.cells import CELLS
from explorer.parameters import Parameters, parameter


class NonNormalChoices(Parameters):
    """A matrix, how far it is from normal, and how many of its powers are drawn."""

    non_normal_matrix: Literal["example", "triangular", "gaussian", "own"] = parameter(
        "example",
        "matrix W",
        "The matrix whose powers are drawn; what makes it non-normal leaves its eigenvalues alone.",
        names={
            "example": "2×2, both eigenvalues ρ",
            "triangular": "N×N, all eigenvalues ρ",
            "gaussian": "random Gaussian",
            "own": "W_hh of the experiment",
        },
    )
    non_normal_size: int = parameter(
        16, "units N", "Rows and columns of the matrix.", bounds=(2, 64), options=[2, 4, 8, 16, 32, 64]
    )
    non_normal_radius: float = parameter(
        0.9, "spectral radius ρ", "The largest modulus of an eigenvalue.", bounds=(0, 1.5), step=0.01
    )
    non_normal_strength: float = parameter(
        5.0,
        "non-normality s",
        "Largest singular value of the part above the diagonal; it changes no eigenvalue.",
        bounds=(0, 10),
        step=0.1,
    )
    non_normal_factor: float = parameter(
        1.0,
        "departure from normality ×",
        "Multiplies what lies above the diagonal of the Schur form and changes no eigenvalue; "
        "0 gives a normal matrix, 1 the matrix as it was drawn.",
        bounds=(0, 4),
        step=0.1,
    )
    non_normal_seed: int = parameter(
        0, "seed", "Another seed draws another random matrix.", bounds=(0, 99), step=1
    )
    non_normal_gate: str = parameter(
        "", "block of W_hh", "The gate whose block of W_hh is taken.", max_length=20
    )
    non_normal_steps: int = parameter(
        100,
        "powers K",
        "How many powers are drawn: the steps a gradient goes back.",
        bounds=(10, 300),
        options=[10, 20, 50, 100, 200, 300],
    )

    @field_validator("non_normal_gate")
    @classmethod
    def _some_cell_has_this_gate(cls, gate: str) -> str:
        if gate and not any(gate in kind.gates for _, kind in CELLS.values()):
            raise ValueError("no cell has this gate")
        return gate
